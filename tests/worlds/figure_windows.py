"""Windows of the real series, as a source gives them, and what becomes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from adapters.bundled import load_snapshot
from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import Figure, Month
from domain.health_index.table import IndexTable
from domain.health_index.verification import verify

NOW = datetime(2099, 1, 1, tzinfo=UTC)
CENT = Decimal("0.01")
BUNDLED = IndexTable(load_snapshot().figures)
NOTHING = IndexTable()
WHOLE_BASES = (1988, 1996, 2004, 2013)
SERIES = {base: [f for f in BUNDLED.figures() if f.base_year == base] for base in WHOLE_BASES}

knowledge = st.sampled_from([NOTHING, BUNDLED])


@st.composite
def windows(draw: st.DrawFn, min_bases: int = 1, max_bases: int = 4, min_months: int = 2) -> list[Figure]:
    """Some months in a row in some base years, in any order of base years."""
    bases = draw(st.lists(st.sampled_from(WHOLE_BASES), min_size=min_bases, max_size=max_bases, unique=True))
    length = min(len(SERIES[base]) for base in bases)
    start = draw(st.integers(0, length - min_months))
    size = draw(st.integers(min_months, min(30, length - start)))
    return [item for base in bases for item in SERIES[base][start : start + size]]


def single_base(min_months: int) -> st.SearchStrategy[list[Figure]]:
    return windows(max_bases=1, min_months=min_months)


def _published(base_year: int, first: str, last: str) -> list[Figure]:
    return [f for f in BUNDLED.figures() if f.base_year == base_year and first <= str(f.month) <= last]


young = st.sampled_from(
    [
        _published(2025, "2025-07", "2025-07"),
        _published(2025, "2026-03", "2026-04"),
        _published(2025, "2026-07", "2026-07"),
    ]
)
"""What is known of the youngest base year, without its holes."""


def put(figures: Iterable[Figure], old: Figure, *new: Figure) -> list[Figure]:
    """The figures with others in the place of one."""
    return [other for item in figures for other in (new if item is old else (item,))]


def refusal(figures: Sequence[Figure], known: IndexTable, now: datetime = NOW) -> Rejection | None:
    """Why they are refused; None where they are believed."""
    try:
        verify(figures, known, "test", now)
    except SourceRejected as error:
        return error.rejection
    return None


def moved(item: Figure, cents: int) -> Figure:
    return replace(item, value=item.value + cents * CENT)


def figure(month: str, base_year: int, value: str, smoothed: str | None = None) -> Figure:
    return Figure(Month.parse(month), base_year, Decimal(value), None if smoothed is None else Decimal(smoothed))
