"""The settings in force: what each one is, where it comes from, and what of them has no effect."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values

from entrypoints.doctor.findings import Finding, ok, warning
from entrypoints.settings import Settings, Store, counts_as_given, is_secret, misspelt, split

HIDDEN = "***"
_LONGEST = 200  # characters of a value


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting as it is in force; `value` has no password in it."""

    name: str
    value: str
    origin: str
    """`environment`, `.env`, `environment, over .env`, or `default`."""


def settings_in_force(
    settings: Settings, environ: Mapping[str, str] | None = None, dotenv: Path = Path(".env")
) -> list[InForce]:
    """Every setting, in the order of the class."""
    environ = os.environ if environ is None else environ
    in_file = dotenv_values(dotenv)
    found = []
    for field in msgspec.structs.fields(Settings):
        name = field.name.upper()
        # The environment wins, also with an empty value, which counts as none.
        given, filed = environ.get(name), in_file.get(name)
        effective = filed if given is None else given
        origin = "default"
        if counts_as_given(field.name, effective):
            origin = ".env" if given is None else "environment"
            if given is not None and filed not in {None, given}:
                origin = "environment, over .env"
        found.append(InForce(name, _shown(field.name, getattr(settings, field.name)), origin))
    return found


def settings_findings(settings: Settings, dotenv: Path = Path(".env")) -> list[Finding]:
    """Names that are probably slips, and settings that have no effect."""
    found = [
        warning("settings", f"{name} in .env is no setting, and has no effect", f"write {meant}, if that is meant")
        for name, meant in misspelt(dotenv).items()
    ]
    if settings.store is Store.POSTGRES and settings.data_dir is not None:
        advice = "remove the one that is not meant"
        found.append(warning("settings", "DATA_DIR has no effect where DB_DSN is set", advice))
    if settings.storage_fallback and not (settings.store is Store.POSTGRES and settings.risk_table_cache):
        advice = "remove it, or set DB_DSN and RISK_TABLE_CACHE=true"
        found.append(warning("settings", "STORAGE_FALLBACK has no effect here", advice))
    return found or [ok("settings", "each name in .env is a setting, or not of belref")]


def _shown(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if is_secret(name):
        return without_password(text)
    if "@" in text:
        return ",".join(without_password(part, user=False) if "@" in part else part for part in split(text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def without_password(address: str, *, user: bool = True) -> str:
    """An address without what may be a secret in it; all of it is hidden where that is not certain.

    The part before a password is shown as the user, unless told otherwise; parameters are not shown.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    # A password with a slash, a question mark or a hash that is not escaped ends the host before the @.
    if not parts.scheme or "://" not in address or "@" in parts.path + parts.query + parts.fragment:
        return HIDDEN
    credentials, at, host = parts.netloc.rpartition("@")
    name, colon, _ = credentials.partition(":")
    hidden = f"{name if user and colon else ''}{':' if colon and user else ''}{HIDDEN}@" if at else ""
    return f"{parts.scheme}://{hidden}{host}{parts.path}{'?' + HIDDEN if parts.query or parts.fragment else ''}"
