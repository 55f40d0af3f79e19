"""Lines that are made by hand and written many at once."""

import json
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.http.scope import given_identity, identities
from entrypoints.logs import BatchedAccessLog
from entrypoints.metrics import Series

REQUEST = Series("GET", "/index", 200)


class Subject:
    """A log whose clock a test sets, in nanoseconds, and what it wrote."""

    def __init__(self, at_once: int = 3) -> None:
        self.now = 0
        self.written: list[str] = []
        self.log = BatchedAccessLog(self.written.append, clock=lambda: self.now, at_once=at_once)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in "".join(self.written).splitlines()]


async def test_lines_wait_for_each_other() -> None:
    subject = Subject(at_once=3)
    for number in range(7):
        subject.log.write(REQUEST, str(number), 0.001)
    assert [text.count("\n") for text in subject.written] == [3, 3]
    subject.log.flush()
    assert [line["request_id"] for line in subject.lines()] == list("0123456")


async def test_there_is_nothing_to_write_where_nothing_waits() -> None:
    subject = Subject()
    subject.log.flush()
    assert subject.written == []


async def test_a_line_waits_for_a_moment_at_most() -> None:
    subject = Subject(at_once=1000)
    subject.log.write(REQUEST, "1", 0.001)
    timer = subject.log._timer
    assert timer is not None
    subject.log.write(REQUEST, "2", 0.001)
    assert subject.log._timer is timer
    subject.log._in_time()
    timer.cancel()
    assert len(subject.lines()) == 2
    subject.log.write(REQUEST, "3", 0.001)
    assert subject.log._timer is not timer


@given(st.datetimes(datetime(2001, 9, 9, 1, 46, 40), datetime(2199, 1, 1)), st.floats(0, 1e5))  # noqa: DTZ001 - hypothesis wants it so
async def test_times_are_exact(instant: datetime, seconds: float) -> None:
    subject = Subject(at_once=1)
    known = instant.replace(tzinfo=UTC)
    whole = int(known.replace(microsecond=0).timestamp())
    subject.now = whole * 1_000_000_000 + known.microsecond * 1000 + 999
    subject.log.write(REQUEST, "1", seconds)
    (line,) = subject.lines()
    assert datetime.fromisoformat(str(line["timestamp"])) == known
    assert line["milliseconds"] == pytest.approx(seconds * 1000, abs=0.0051)


class TestIdentities:
    def test_each_is_a_uuid_of_its_own(self) -> None:
        made = identities()
        found = [next(made) for _ in range(10_000)]
        assert len(set(found)) == len(found)
        for each in (found[0], found[4096], found[-1]):
            assert str(UUID(each)) == each
            assert (UUID(each).version, UUID(each).variant) == (8, RFC_4122)

    def test_no_two_processes_make_the_same(self) -> None:
        assert len({next(identities())[:24] for _ in range(1000)}) == 1000

    @pytest.mark.parametrize(
        "given", [b"", b"1", b"x" * 36, "é".encode() * 18, b"{6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a}"]
    )
    def test_what_is_none_is_not_taken(self, given: bytes) -> None:
        assert given_identity(given) is None

    def test_what_a_client_gives_is_written_as_they_are_written(self) -> None:
        assert given_identity(b"6E9C1F0A-7F7E-4F1C-9D8E-2F6B7A0F6A11") == "6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11"
