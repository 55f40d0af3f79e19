"""What all batches have in common: many questions at once, each answered by a result or a problem, in order."""

from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request

from entrypoints.http.problems import (
    BAD_REQUEST,
    PAYLOAD_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    ProblemError,
    bad_input,
)
from entrypoints.http.representation import JSON

LARGEST_BATCH = 1000
BATCH_PROBLEMS = (BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises; the last for what is nested without end."""

_LONGEST_ECHO = 100

Answer = TypeVar("Answer")
Batch = TypeVar("Batch")


class Outcome(msgspec.Struct, Generic[Answer], frozen=True, omit_defaults=True):
    """What came of one case: a result or a problem."""

    result: Answer | msgspec.UnsetType = msgspec.UNSET
    problem: Problem | msgspec.UnsetType = msgspec.UNSET


class Outcomes(msgspec.Struct, Generic[Answer], frozen=True):
    """As many as there were cases, in their order."""

    items: list[Outcome[Answer]]
    total: int


def read_batch(
    request: Request[Any, Any, Any], body: bytes, decoder: msgspec.json.Decoder[Batch], items: str = "items"
) -> Batch:
    """The outer shape of a batch; 400 when it is not that, whatever its cases are, which stand under `items`."""
    if request.content_type[0] != JSON:
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"The cases are to be sent as {JSON}")
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise unreadable(error, items) from error


def unreadable(error: Exception, items: str = "items") -> ProblemError:
    """The decoder's words, cut short: they quote what the client sent."""
    if not isinstance(error, msgspec.DecodeError):
        return bad_input("body", items, "it is not JSON that can be read", None)
    words, _, place = str(error).partition(" - at `$.")
    name = place.rstrip("`") or items
    return bad_input("body", name[:_LONGEST_ECHO], words[:_LONGEST_ECHO], None)
