"""What all batches have in common: many questions at once, each answered by a result or a problem, in order."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Generic, TypeVar, cast

import msgspec
from litestar import Request, Response

from domain.errors import LogicalError
from entrypoints.http.problems import (
    BAD_REQUEST,
    PAYLOAD_TOO_LARGE,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    ProblemError,
    bad_input,
    echo,
    problem_of,
)
from entrypoints.http.representation import JSON, bytes_without_caching, encode
from entrypoints.http.scope import request_id

LARGEST_BATCH = 1000
BATCH_PROBLEMS = (BAD_REQUEST, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, UNAVAILABLE)
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoders raise; the last for what is nested without end."""

_LONGEST_ECHO = 100
_CASES_AT_A_TIME = 5  # about a millisecond
_BATCHES_AT_A_TIME = 2
_SMALL = 50  # cases that everybody may have answered at once

Answer = TypeVar("Answer")
Batch = TypeVar("Batch")
Case = TypeVar("Case")


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 cases, and the instant whose figures are wanted; each case is read by itself."""

    items: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=LARGEST_BATCH)]
    as_of: str | None = None


decode_cases = msgspec.json.Decoder(Cases)


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
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"The cases must be sent as {JSON}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise ProblemError(UNSUPPORTED_MEDIA_TYPE, f"The body must be sent as it is, without the coding {echo(coding)}")
    try:
        return decode(decoder, body)
    except UNREADABLE as error:
        raise unreadable(error, items) from error


def decode(decoder: msgspec.json.Decoder[Batch], body: bytes | msgspec.Raw) -> Batch:
    """What a decoder makes of JSON in which no object has a key twice: a decoder would take the last value, unseen.

    Objects within a `msgspec.Raw` are looked at when they are decoded themselves.
    """
    decoded = decoder.decode(body)
    seen: set[str] = set()

    def notice(_: type, name: str) -> _Name:
        if name in seen:
            raise msgspec.DecodeError(f"It is given more than once - at `$.{name}`")
        seen.add(name)
        return _Name()

    msgspec.json.decode(body, type=dict[_Name, msgspec.Raw], dec_hook=notice)
    return decoded


class _Name:
    """A key that equals no other, so that a decoder makes one of each key that is written, and builds no value.

    Reading the whole once more by `json`, with a hook for pairs, held everybody else up by 85 ms for a megabyte.
    """


def unreadable(error: Exception, items: str = "items") -> ProblemError:
    """The decoder's words, cut short: they quote what the client sent."""
    if not isinstance(error, msgspec.DecodeError):
        return bad_input("body", items, "it is not JSON that can be read", None)
    words, _, place = str(error).partition(" - at `$.")
    name = place.rstrip("`") or items
    return bad_input("body", name[:_LONGEST_ECHO], words[:_LONGEST_ECHO], None)


async def answer_each(
    request: Request[Any, Any, Any], cases: Cases, decoder: msgspec.json.Decoder[Case], answer: Callable[[Case], Answer]
) -> Response[Outcomes[Answer]]:
    """Answer the cases in their order, each by a result or by the problem that it would get alone."""
    instance = f"urn:uuid:{request_id(request.scope)}"

    def outcome(raw: msgspec.Raw) -> Outcome[Answer]:
        try:
            return Outcome(result=answer(decode(decoder, raw)))
        except UNREADABLE as error:
            return Outcome(problem=problem_of(unreadable(error), instance))
        except (LogicalError, ProblemError) as error:
            return Outcome(problem=problem_of(error, instance))

    with _turn(len(cases.items)):
        parts: list[bytes] = []
        for begin in range(0, len(cases.items), _CASES_AT_A_TIME):
            await asyncio.sleep(0)  # others are waiting for their answers, too
            parts.append(encode([outcome(raw) for raw in cases.items[begin : begin + _CASES_AT_A_TIME]])[1:-1])
    content = b'{"items":[%b],"total":%d}' % (b",".join(parts), len(cases.items))
    return cast("Response[Outcomes[Answer]]", bytes_without_caching(content))


_under_way = 0  # batches, but for small ones; all of them are answered in one thread


@contextmanager
def _turn(cases: int) -> Iterator[None]:
    """Two batches at a time: more would be slower for everybody, and hold more in memory.

    :raises ProblemError: 503 where as many are under way
    """
    global _under_way  # noqa: PLW0603 - it bounds what the process does, however many applications are in it
    if cases <= _SMALL:
        yield
        return
    if _under_way >= _BATCHES_AT_A_TIME:
        raise ProblemError(UNAVAILABLE, f"{_BATCHES_AT_A_TIME} batches are being answered; please send yours again")
    _under_way += 1
    try:
        yield
    finally:
        _under_way -= 1
