"""What the cached source of figures writes into a cache, and what it makes of what it finds there."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.caching.health_index import CachedHealthIndexProvider, key_of
from adapters.memory import InMemoryCache, InMemoryHealthIndexProvider
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Figure, Month, Publication
from domain.health_index.table import IndexTable

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
KEY = key_of(())
FROM_SOURCE = Publication((Figure(Month(2026, 8), 2013, Decimal("138.02")),), NOW, "source")

FIGURE = (2026, 8, 2013, "138.01", None)


def entry(*figures: object, as_of: str = "2026-09-10T12:00:00Z") -> bytes:
    return msgspec.json.encode([as_of, "cache", figures])


FOREIGN = {
    "nothing": b"",
    "no text": b"\xff\xfe\x00",
    "a page": b"<!DOCTYPE html><html></html>",
    "an object": b'{"as_of": "2026-09-10T12:00:00Z"}',
    "truncated": entry(FIGURE)[:-3],
    "an element more": entry(FIGURE)[:-1] + b",1]",
    "nested without end": entry(FIGURE)[:-1] + b"," + b"[" * 200_000,
    "no time": entry(FIGURE, as_of="yesterday"),
    "no time zone": entry(FIGURE, as_of="2026-09-10T12:00:00"),
    "no figures": entry(),
    "a figure without a base year": entry((2026, 8, "138.01", None)),
    "a figure in words": entry((2026, 8, 2013, "much", None)),
    "no number": entry((2026, 8, 2013, "NaN", None)),
    "no number among numbers": entry(FIGURE, (2026, 7, 2013, "sNaN", None)),
    "no end": entry((2026, 8, 2013, "138.01", "-Infinity")),
    "a thirteenth month": entry((2026, 13, 2013, "138.01", None)),
    "a month zero": entry((2026, 0, 2013, "138.01", None)),
    "a year zero": entry((0, 1, 2013, "138.01", None)),
    "a year after which there are no dates": entry((9999, 12, 2013, "138.01", None)),
}


async def publication(cache: InMemoryCache, source: Publication, now: datetime = NOW) -> Publication:
    """The answer of a process that has just started on this cache."""
    inner = InMemoryHealthIndexProvider(source)
    provider = CachedHealthIndexProvider(inner, cache, limits=PublicationCalendar().age_limits, clock=lambda: now)
    try:
        return await provider.publication(IndexTable())
    finally:
        await provider.aclose()


@pytest.fixture
def cache() -> InMemoryCache:
    return InMemoryCache(monotonic=lambda: 0.0)


class TestWhatIsFound:
    async def test_an_entry_is_given_instead_of_the_source(self, cache: InMemoryCache) -> None:
        await cache.set(KEY, entry(FIGURE), timedelta(hours=1))
        found = await publication(cache, FROM_SOURCE)
        assert found == Publication((Figure(Month(2026, 8), 2013, Decimal("138.01")),), NOW, "cache")

    @pytest.mark.parametrize("name", FOREIGN)
    async def test_what_is_no_entry_is_a_miss_and_is_replaced(self, cache: InMemoryCache, name: str) -> None:
        await cache.set(KEY, FOREIGN[name], timedelta(hours=1))
        assert await publication(cache, FROM_SOURCE) == FROM_SOURCE
        assert await publication(cache, Publication((), NOW, "another source")) == FROM_SOURCE

    @given(content=st.binary(max_size=200))
    async def test_no_bytes_are_an_error(self, content: bytes) -> None:
        cache = InMemoryCache()
        await cache.set(KEY, content, timedelta(hours=1))
        assert await publication(cache, FROM_SOURCE) == FROM_SOURCE

    @given(
        figure=st.tuples(
            st.integers(-10, 20_000),
            st.integers(-1, 14),
            st.integers(),
            st.decimals().map(str) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
            st.none() | st.decimals().map(str),
        ),
        as_of=st.datetimes().map(datetime.isoformat) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    )
    async def test_what_looks_like_an_entry_is_one_or_a_miss(self, figure: tuple[object, ...], as_of: str) -> None:
        cache = InMemoryCache()
        await cache.set(KEY, entry(figure, as_of=as_of), timedelta(hours=1))
        found = await publication(cache, FROM_SOURCE)
        assert found == FROM_SOURCE or found.source == "cache"
        assert all(1 <= known.month.number <= 12 and known.value.is_finite() for known in found.figures)


figures = st.builds(
    Figure,
    month=st.builds(Month, st.integers(1, 9998), st.integers(1, 12)),
    base_year=st.integers(1900, 2100),
    value=st.decimals(allow_nan=False, allow_infinity=False),
    smoothed=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
)


class TestRoundTrip:
    @given(
        read=st.builds(
            Publication,
            figures=st.lists(figures, min_size=1, max_size=4).map(tuple),
            as_of=st.datetimes(timezones=st.just(UTC)),
            source=st.text(max_size=32),
        )
    )
    @example(Publication((Figure(Month(2022, 4), 2013, Decimal("119.60"), None),), NOW, "statbel"))
    @example(Publication((Figure(Month(2022, 4), 2013, Decimal("-0E+3"), Decimal("1.000")),), NOW, ""))
    async def test_every_figure_comes_back_exactly(self, read: Publication) -> None:
        cache = InMemoryCache()
        await publication(cache, read, read.as_of)
        again = await publication(cache, FROM_SOURCE, read.as_of)
        assert again == read
        assert [(str(figure.value), str(figure.smoothed)) for figure in again.figures] == [
            (str(figure.value), str(figure.smoothed)) for figure in read.figures
        ]
