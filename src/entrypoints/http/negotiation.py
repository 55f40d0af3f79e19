"""What a client says of the answers that it takes, as RFC 9110 has it: Accept and its siblings, If-None-Match."""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache


class Language(StrEnum):
    """The languages of the pages: those of Belgium, and one for everybody else."""

    NL = "nl"
    FR = "fr"
    DE = "de"
    EN = "en"


LANGUAGES = tuple(each.value for each in Language)

_QUALITY = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.ASCII)
_REMEMBERED = 256  # headers; there are few different ones, unless somebody wants there to be many


@lru_cache(_REMEMBERED)
def preferred_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """The media type that the client wants most, the first offered one where it does not care; None for none of them.

    Our own, as the framework's ignores `q=0` and fails on a q that is no number.
    """
    ranges = _weighted(accept)
    if not any(name for name, _ in ranges):
        return offered[0]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    return best if _quality(best, ranges) > 0 else None


def _quality(media_type: str, ranges: Sequence[tuple[str, int]]) -> int:
    """The most specific range decides, as RFC 9110 section 12.5.1 says."""
    for name in (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*"):
        found = [quality for each, quality in ranges if each == name]
        if found:
            return max(found)
    return 0


@lru_cache(_REMEMBERED)
def preferred_language(accept_language: str, offered: tuple[str, ...]) -> str | None:
    """The language that the client wants most, the first offered one among equals; None where it wants none of them.

    A range such as `nl-BE` stands for `nl` too, which is what we have (look-up, RFC 4647 section 3.4).
    """
    wanted: dict[str, int] = {}
    for name, quality in _weighted(accept_language):
        language = name.partition("-")[0]
        wanted[language] = max(quality, wanted.get(language, 0))
    others = wanted.get("*", 0)
    best = max(offered, key=lambda language: wanted.get(language, others))
    return best if wanted.get(best, others) > 0 else None


@lru_cache(_REMEMBERED)
def preferred_coding(accept_encoding: bytes, offered: tuple[str, ...]) -> str | None:
    """The content coding that the client wants most, the first offered one among equals; None for no coding.

    None as well where it wants nothing that there is: RFC 9110 section 12.5.3 has an answer without coding sent then.
    """
    wanted: dict[str, int] = {}
    for name, quality in _weighted(accept_encoding.decode("latin-1")):
        wanted[name] = max(quality, wanted.get(name, 0))
    others = wanted.get("*", 0)
    best = max(offered, key=lambda coding: wanted.get(coding, others))
    quality = wanted.get(best, others)
    # No coding is acceptable without being named, and then wanted least.
    return best if quality > 0 and quality >= wanted.get("identity", 0) else None


def _weighted(header: str) -> list[tuple[str, int]]:
    """Each name with its quality in thousandths; one that is malformed is not wanted."""
    return [_with_quality(part) for part in header.split(",")]


def _with_quality(part: str) -> tuple[str, int]:
    name, *parameters = (each.strip().lower() for each in part.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return name, int(Decimal(quality) * 1000) if _QUALITY.fullmatch(quality) else 0


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the client has this version: weak comparison, as RFC 9110 section 13.1.2 asks for."""
    if if_none_match.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(given.strip().removeprefix("W/") == opaque for given in if_none_match.split(","))
