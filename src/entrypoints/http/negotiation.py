"""What a client says of the answers that it takes, as RFC 9110 has it: Accept and its siblings, If-None-Match.

Our own, as the framework's ignores `q=0` and fails on a q that is no number. An element that is malformed says nothing:
old clients send such ones beside good ones, and a refusal helps nobody.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Language(StrEnum):
    """The languages of the pages: those of Belgium, and one for everybody else."""

    NL = "nl"
    FR = "fr"
    DE = "de"
    EN = "en"


LANGUAGES = tuple(each.value for each in Language)

_WORD = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_NAME = re.compile(rf"{_WORD}(/{_WORD})?")
_ELEMENT = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')  # of a list: a comma between quotes does not end one
_PART = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*"?)+')
_QUALITY = re.compile(r"(?=\.?[0-9])(0?(\.[0-9]*)?|1(\.0*)?)", re.ASCII)
_TAG = re.compile(r'(?:^|,)[ \t]*(?:W/)?("[^"]*")(?=[ \t]*(?:,|$))')
_REMEMBERED = 256  # headers; there are few different ones, unless somebody wants there to be many


class _Wanted(NamedTuple):
    """An element of a list: its name, whether parameters narrow it down, and its quality, from 0 to 1."""

    name: str
    narrowed: bool
    quality: Decimal


@lru_cache(_REMEMBERED)
def preferred_type(accept: str, offered: tuple[str, ...]) -> str | None:
    """The media type that the client wants most, the first offered one if it does not care; None for none of them."""
    ranges = [each for each in _wanted(accept) if "/" in each.name or each.name == "*"]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    return best if _quality(best, ranges) > 0 else None


def _quality(media_type: str, ranges: Sequence[_Wanted]) -> Decimal:
    """The most specific range decides, as RFC 9110 section 12.5.1 says.

    Parameters narrow a range down: it is taken for the type where it is wanted, and does not exclude the type.
    """
    whole = media_type.partition("/")[0] + "/*"
    for found in (
        _best(each for each in ranges if each.name == media_type and not each.narrowed),
        _best(each for each in ranges if each.name == media_type and each.quality > 0),
        _best(each for each in ranges if each.name == whole),
        _best(each for each in ranges if each.name in {"*", "*/*"}),
    ):
        if found is not None:
            return found
    return Decimal()


def _best(wanted: Iterable[_Wanted]) -> Decimal | None:
    return max((each.quality for each in wanted), default=None)


@lru_cache(_REMEMBERED)
def preferred_language(accept_language: str, offered: tuple[str, ...]) -> str | None:
    """The language that the client wants most, the first offered one among equals; None where it wants none of them.

    A range such as `nl-BE` stands for `nl` too, which is what we have (look-up, RFC 4647 section 3.4).
    """
    wanted: dict[str, Decimal] = {}
    for name, _, quality in _wanted(accept_language):
        language = name.partition("-")[0]
        wanted[language] = max(quality, wanted.get(language, Decimal()))
    others = wanted.get("*", Decimal())
    best = max(offered, key=lambda language: wanted.get(language, others))
    return best if wanted.get(best, others) > 0 else None


@lru_cache(_REMEMBERED)
def preferred_coding(accept_encoding: bytes, offered: tuple[str, ...]) -> str | None:
    """The content coding that the client wants most, the first offered one among equals; None for no coding.

    None as well where it wants nothing that there is: RFC 9110 section 12.5.3 has an answer without coding sent then.
    """
    wanted: dict[str, Decimal] = {}
    for name, _, quality in _wanted(accept_encoding.decode("latin-1")):
        wanted[name] = max(quality, wanted.get(name, Decimal()))
    others = wanted.get("*", Decimal())
    best = max(offered, key=lambda coding: wanted.get(coding, others))
    quality = wanted.get(best, others)
    # No coding is acceptable without being named, and then wanted least.
    return best if quality > 0 and quality >= wanted.get("identity", Decimal()) else None


def _wanted(header: str) -> Iterator[_Wanted]:
    for element in _ELEMENT.findall(header.lower()):
        name, *parameters = [part.strip() for part in _PART.findall(element)] or [""]  # a semicolon alone has none
        qualities = [part[2:].strip() for part in parameters if part.startswith("q=")]
        if _NAME.fullmatch(name) and all(map(_QUALITY.fullmatch, qualities[:1])):
            yield _Wanted(name, len(parameters) > len(qualities), Decimal(qualities[0]) if qualities else Decimal(1))


def matches(if_none_match: str, etag: str) -> bool:
    """Whether the client has this version: weak comparison, as RFC 9110 section 13.1.2 asks for."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(if_none_match)
