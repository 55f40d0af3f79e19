"""Settings, from the environment and from a file `.env` in the working directory; the environment wins."""

import difflib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from dotenv import dotenv_values
from msgspec import Meta, inspect

from domain.risk.comparison import DEFAULT_MAX_SHARE

OPEN_DATA_URL = (
    "https://statbel.fgov.be/sites/default/files/files/opendata/"
    "Consumptieprijsindex%20en%20gezondheidsindex/CPI%20All%20base%20years.zip"
)
_VIEWS = (
    "421fe907-cf4c-4399-a89a-f6e2c4e4c66d",  # English, the last 500 months, names the base year
    "48744f07-252a-4a42-bca3-a2d7cb31c2fd",  # English, names the base year
    "86586e27-90ac-47c6-87ce-64b63194e605",  # English, names the base year, which was 2025 in 2026
    "208b69bd-05c5-4947-b7f9-2d2300f517b8",  # English, the last 13 months, no base year
    "876acb9d-4eae-408e-93d9-88eae4ad1eaf",  # Dutch, the last 13 months, no base year
)
VIEW_URLS = ",".join(f"https://bestat.statbel.fgov.be/bestat/api/views/{view}/result/JSON" for view in _VIEWS)

_SECRET = frozenset({"db_dsn", "migration_dsn", "redis_url"})
_LISTS = frozenset({"cors_origins", "statbel_view_urls"})
_REFUSED = re.compile(r" - at `\$\.(\w+)`")
_DSN = re.compile(r"postgres(ql)?://|\s*\w+\s*=")
_ALIKE = 0.74
"""How much of a name must be that of a setting to look like a slip of it: PROT must, POSTGRES_USER must not."""


class Environment(StrEnum):
    """In `development`, log lines are for people; in `production` they are JSON, but in a terminal."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Store(StrEnum):
    """Where releases of risk tables are kept; Postgres keeps figures as well."""

    POSTGRES = "postgres"
    FOLDER = "folder"
    MEMORY = "memory"


class InvalidSettingsError(Exception):
    """One line that names the setting and what is wrong with it; the value of a secret is not in it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each setting is the environment variable of the same name in capitals.

    An empty one counts as absent, but for a list (`cors_origins`, `statbel_view_urls`): that is a list of nothing.
    """

    environment: Environment = Environment.PRODUCTION
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 5000
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] | None = None
    shutdown_seconds: Annotated[int, Meta(ge=1, le=600)] = 20
    cors_origins: str = "*"

    max_connections: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    max_target_bytes: Annotated[int, Meta(ge=256, le=65_536)] = 8192
    max_headers: Annotated[int, Meta(ge=10, le=1000)] = 100
    max_header_bytes: Annotated[int, Meta(ge=1024, le=1_048_576)] = 32_768
    header_seconds: Annotated[float, Meta(gt=0, le=600)] = 10.0
    body_seconds: Annotated[float, Meta(gt=0, le=600)] = 30.0
    write_seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0
    keep_alive_seconds: Annotated[float, Meta(gt=0, le=3600)] = 5.0

    db_dsn: str | None = None
    db_pool_size: Annotated[int, Meta(ge=1, le=100)] = 4
    db_timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 3.0
    db_wait_seconds: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    migration_dsn: str | None = None
    storage_fallback: bool = False
    accept_older_history: bool = False
    run_seeder: bool = True
    redis_url: str | None = None

    data_dir: Path | None = None
    risk_table_file: Path | None = None
    risk_max_change_percent: Annotated[int, Meta(ge=0, le=100)] = int(DEFAULT_MAX_SHARE * 100)
    risk_table_cache: bool = True
    response_cache: bool = True

    health_index_source: Literal["statbel", "snapshot"] = "statbel"
    statbel_open_data_url: str = OPEN_DATA_URL
    statbel_view_urls: str = VIEW_URLS
    statbel_timeout_seconds: Annotated[float, Meta(gt=0, le=300)] = 15.0

    @property
    def store(self) -> Store:
        """Postgres where there is a DSN, else a folder where one is named, else memory."""
        if self.db_dsn is not None:
            return Store.POSTGRES
        return Store.MEMORY if self.data_dir is None else Store.FOLDER

    @property
    def holds_table(self) -> bool:
        """Whether the process holds the table in service in front of a store that may be slow or away."""
        return self.risk_table_cache and self.store is not Store.MEMORY

    def __repr__(self) -> str:
        """Secrets are not shown, nor what may hold one."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        shown = {name: "***" if name in _SECRET or "@" in str(value) else value for name, value in values.items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """Read the settings.

    :raises InvalidSettingsError: for a value that is not of its setting's kind, and for a risk table that is no file
    """
    given = {**dotenv_values(dotenv), **(os.environ if environ is None else environ)}
    values = {name: given.get(name.upper()) for name in Settings.__struct_fields__}
    present = {name: value for name, value in values.items() if value is not None and counts_as_given(name, value)}
    try:
        settings = msgspec.convert(present, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise InvalidSettingsError(_in_words(error, present)) from error
    if settings.risk_table_file is not None and not settings.risk_table_file.is_file():
        raise InvalidSettingsError(f"RISK_TABLE_FILE: there is no file {settings.risk_table_file}")
    if settings.data_dir is not None and settings.data_dir.exists() and not settings.data_dir.is_dir():
        raise InvalidSettingsError(f"DATA_DIR: {settings.data_dir} is not a folder")
    for name, dsn in (("db_dsn", settings.db_dsn), ("migration_dsn", settings.migration_dsn)):
        if dsn is not None and not _DSN.match(dsn):
            scheme, colon, _ = dsn.partition("://")  # the rest may hold a password
            what = f"'{scheme[:32]}://...'" if colon else "what is given"
            wanted = "postgresql://user:password@host:port/database"
            raise InvalidSettingsError(f"{name.upper()}: {what} does not name a Postgres database: write {wanted}")
    for name in ("statbel_open_data_url", "statbel_view_urls"):
        for url in split(getattr(settings, name)):
            if not _is_web_address(url):
                shown = "***" if "@" in url else url[:80]
                raise InvalidSettingsError(f"{name.upper()}: '{shown}' is not an address of http or https")
    return settings


def counts_as_given(name: str, value: str | None) -> bool:
    """Whether a value is one: an empty text is one for a list alone."""
    return bool(value) or (value == "" and name in _LISTS)


def is_secret(name: str) -> bool:
    """Whether the value of a setting may have a password in it."""
    return name in _SECRET


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        return False


def split(value: str) -> list[str]:
    """The parts of a setting that is a list, written with commas."""
    return [part.strip() for part in value.split(",") if part.strip()]


def _path(kind: type, value: Any) -> Any:
    """Paths are the one kind of setting that msgspec leaves to its caller."""
    return kind(value)


def misspelt(dotenv: Path = Path(".env")) -> dict[str, str]:
    """The names in the file that are no setting but look like one, each with the setting that is probably meant.

    Other names are left alone: the file may be shared with other programs, as the environment is.
    """
    known = [name.upper() for name in Settings.__struct_fields__]
    unknown = [name for name in dotenv_values(dotenv) if name not in known]
    alike = {name: difflib.get_close_matches(name.upper(), known, 1, _ALIKE) for name in unknown}
    return {name: found[0] for name, found in alike.items() if found}


def _in_words(error: msgspec.ValidationError, values: Mapping[str, str]) -> str:
    found = _REFUSED.search(str(error))
    key = found[1] if found else ""
    kinds = {field.name: field.type for field in _fields()}
    if key not in kinds:
        return str(error)
    return f"{key.upper()}: '{values[key][:80]}' is {_objection(kinds[key])}"


def _fields() -> tuple[inspect.Field, ...]:
    kind = inspect.type_info(Settings)
    return kind.fields if isinstance(kind, inspect.StructType) else ()


def _objection(kind: inspect.Type) -> str:
    """What a value that is refused is, by what its setting may be."""
    match kind:
        case inspect.IntType(ge=low, le=high):
            return f"not a whole number from {low} to {high}"
        case inspect.FloatType(gt=None, ge=low, le=high):
            return f"not a number from {low} to {high}"
        case inspect.FloatType(gt=low, le=high):
            return f"not a number above {low} and up to {high}"
        case inspect.EnumType(cls=choices) | inspect.LiteralType(values=choices):
            return f"none of {', '.join(map(str, choices))}"
        case _:
            return "neither true nor false"
