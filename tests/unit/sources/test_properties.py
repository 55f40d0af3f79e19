"""Rules that the readers of Statbel's forms keep for any input."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.health_index_provider import PUBLISHED
from tests.worlds.statbel_files import HEADER, records, row, table, view, view_of

from adapters.statbel.formats import parse_table, parse_view
from domain.errors import SourceRejected
from domain.health_index.figures import FIRST_MONTH, Figure, Month

TABLE = table(PUBLISHED)
VIEW = view(PUBLISHED[:10])

index_points = st.decimals(Decimal("0.01"), Decimal("999.99"), places=2)
months = st.builds(Month, st.integers(1994, 2999), st.integers(1, 12))
bases = st.integers(1988, 2999)
figures = st.lists(
    st.builds(Figure, months, bases, index_points, st.none() | index_points),
    min_size=1,
    max_size=20,
    unique_by=lambda figure: (figure.month, figure.base_year),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def holds(parse: Callable[[bytes, str], list[Figure]], content: bytes) -> None:
    """Whatever the bytes: figures that a table may hold, or the one error."""
    with suppress(SourceRejected):
        found = parse(content, "test")
        assert found
        for figure in found:
            assert figure.month >= FIRST_MONTH
            assert 1 <= figure.month.number <= 12
            for points in (figure.value, figure.smoothed or figure.value):
                assert points.is_finite()
                assert points >= 0
                assert points.as_tuple().exponent == -2


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with a few pieces overwritten, inserted or cut out."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(changed)))
        piece = draw(
            st.sampled_from([b"", b"|", b".", b",", b"0", b"9", b"-", b"e5", b"null", b'"', b"}", b"\n", b"\xff"])
        )
        changed[start : start + draw(st.integers(0, 12))] = piece
    return bytes(changed)


class TestTable:
    @given(figures)
    def test_what_was_written_is_read(self, written: list[Figure]) -> None:
        assert parse_table(table(written), "test") == written

    @given(st.binary(max_size=500), st.binary(max_size=500))
    def test_any_bytes_are_read_or_refused(self, start: bytes, end: bytes) -> None:
        holds(parse_table, start)
        holds(parse_table, HEADER.encode() + b"\n" + end)

    @given(st.lists(st.lists(st.text("0123456789.,-eN", max_size=6), min_size=9, max_size=11), max_size=5))
    def test_any_fields_are_read_or_refused(self, rows: list[list[str]]) -> None:
        holds(parse_table, "\n".join((HEADER, row(PUBLISHED[0]), *map("|".join, rows))).encode())

    @given(damaged(TABLE))
    def test_a_damaged_table_is_read_or_refused(self, content: bytes) -> None:
        holds(parse_table, content)

    @given(st.integers(1, 999_999), st.text("0123456789", min_size=1, max_size=20))
    def test_rounding_is_to_the_nearest_cent_and_a_half_goes_up(self, whole: int, decimals: str) -> None:
        exact = Decimal(f"{whole}.{decimals}")
        (figure,) = parse_table(f"{HEADER}\n2022|4|.|.|.|.|.|{exact:f}|.|2004".encode(), "test")
        assert Decimal("-0.005") < exact - figure.value < Decimal("0.005") or figure.value - exact == Decimal("0.005")


class TestView:
    @given(figures, st.sampled_from(["en", "nl"]))
    def test_what_was_written_is_read(self, written: list[Figure], language: str) -> None:
        assert parse_view(view(written), "test") == written
        without_base = parse_view(view(written, language, named_base=False), "test")
        assert [figure.value for figure in without_base] == [figure.value for figure in written]

    @given(st.binary(max_size=500))
    def test_any_bytes_are_read_or_refused(self, content: bytes) -> None:
        holds(parse_view, content)
        holds(parse_view, b'{"facts": [' + content + b"]}")

    @given(
        json_values, st.sampled_from(["Year", "Month", "Base year", "Health index", "Health index (moving average)"])
    )
    def test_any_value_in_any_field_is_read_or_refused(self, value: object, field: str) -> None:
        holds(parse_view, view_of([*records(PUBLISHED[:2]), records(PUBLISHED[:1])[0] | {field: value}]))
        holds(parse_view, view_of(value))

    @given(damaged(VIEW))
    def test_a_damaged_view_is_read_or_refused(self, content: bytes) -> None:
        holds(parse_view, content)
