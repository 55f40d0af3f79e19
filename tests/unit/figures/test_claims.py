"""What somebody claims to be a figure is named for what it is."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, figure

from domain.health_index.claims import Claim, Finding, Verdict, examine
from domain.health_index.figures import Figure, Month, Provenance, base_in_force, convert
from domain.health_index.indexation import IndexKind, NoSmoothedFigure
from domain.health_index.table import IndexTable, NoFigure, UnknownBaseYear

PUBLISHED = list(BUNDLED.figures())
APRIL = Month(2022, 4)

published = st.sampled_from(PUBLISHED)
smoothed = st.sampled_from([item for item in PUBLISHED if item.smoothed is not None])


def examined(month: Month, value: str | Decimal, base_year: int | None = None, kind: str = "health") -> Finding:
    return examine(BUNDLED, Claim(month, Decimal(value), base_year, IndexKind(kind)))


def is_true(found: Finding) -> bool:
    """Whether the reading is what it is said to be, and the figure beside it is the true one of the claim."""
    assert found.reading is not None
    there = BUNDLED.figure(found.reading.month, found.reading.base_year)
    value = there.value if found.reading.kind is IndexKind.HEALTH else there.smoothed
    beside = BUNDLED.figure(found.claim.month, found.figure.base_year)
    true = beside.value if found.claim.kind is IndexKind.HEALTH else beside.smoothed
    return value == found.reading.value == found.claim.value and true == found.figure.value


@given(published)
def test_every_published_figure_matches_with_and_without_its_base_year(item: Figure) -> None:
    for base_year in (item.base_year, None):
        found = examined(item.month, item.value, base_year)
        assert (found.verdict, is_true(found)) == (Verdict.MATCH, True)


@given(published, st.sampled_from(BUNDLED.base_years))
def test_every_published_figure_under_another_base_year_is_named(item: Figure, base_year: int) -> None:
    others = {other.base_year: other.value for other in BUNDLED.of_month(item.month)}
    assume(base_year in others and others[base_year] != item.value)
    found = examined(item.month, item.value, base_year)
    assert (found.verdict, is_true(found)) == (Verdict.OTHER_BASE_YEAR, True)
    assert found.figure.value == others[base_year]


@given(published, st.integers(-391, 391).filter(bool))
def test_every_published_figure_under_another_month_is_named(item: Figure, months: int) -> None:
    month = item.month.plus(months)
    assume(Month(1994, 1) <= month <= BUNDLED.latest_month)
    known = {each.base_year: each for each in BUNDLED.of_month(month)}
    assume(item.base_year in known)
    found = examined(month, item.value, item.base_year)
    if found.verdict is Verdict.CONVERTED_IN_TWO_STEPS:  # as two cents away may be
        assert abs(item.value - known[item.base_year].value) <= Decimal("0.05")
        return
    assert is_true(found)
    if found.verdict is not Verdict.OTHER_MONTH:  # it is the figure of this month as well, of some kind
        assert item.value in {value for each in known.values() for value in (each.value, each.smoothed)}
    else:
        assert found.reading is not None
        assert found.reading.base_year == item.base_year


@given(smoothed)
def test_a_smoothed_figure_and_a_health_index_are_told_apart(item: Figure) -> None:
    assert item.smoothed is not None
    assume(item.value != item.smoothed)
    one = examined(item.month, item.smoothed, item.base_year)
    other = examined(item.month, item.value, item.base_year, "smoothed")
    for found, kind in ((one, IndexKind.SMOOTHED), (other, IndexKind.HEALTH)):
        assert is_true(found)
        assert found.reading is not None
        if found.verdict is Verdict.SMOOTHED:
            assert found.reading.kind is kind
        else:  # in another base year it is the figure that was claimed
            assert found.verdict is Verdict.OTHER_BASE_YEAR


@given(published)
def test_a_conversion_in_two_steps_is_named_with_its_way(item: Figure) -> None:
    in_force = base_in_force(item.month)
    here = {each.base_year: each for each in BUNDLED.of_month(item.month)}
    every = {value for each in here.values() for value in (each.value, each.smoothed)}
    near = [item.month.plus(-1), item.month.plus(1)]
    for between, figure_between in here.items():
        value = convert(figure_between.value, between, item.base_year)
        if value is None or between in {in_force, item.base_year} or value in every:
            continue
        found = examined(item.month, value, item.base_year)
        if found.verdict is Verdict.OTHER_MONTH:
            assert found.reading is not None
            assert found.reading.month in near
        else:
            assert found.verdict is Verdict.CONVERTED_IN_TWO_STEPS
            assert found.reading is not None
            assert (found.reading.converted_from, found.reading.value) == (in_force, value)
            assert found.figure.value == item.value


def test_the_likeliest_reading_comes_first() -> None:
    assert examined(APRIL, "144.43", 2013).verdict is Verdict.OTHER_BASE_YEAR
    assert examined(APRIL, "116.52", 2013).verdict is Verdict.SMOOTHED
    assert examined(APRIL, "119.05", 2013).verdict is Verdict.OTHER_MONTH
    assert examined(APRIL, "99.99", 2013).verdict is Verdict.UNKNOWN


def test_a_known_wrong_figure_of_1999_was_converted_in_two_steps() -> None:
    month = Month(1999, 12)
    by_way_of_2004 = convert(BUNDLED.figure(month, 2004).value, 2004, 2013)
    assert by_way_of_2004 is not None
    assert by_way_of_2004 != BUNDLED.figure(month, 2013).value
    found = examined(month, by_way_of_2004, 2013)
    assert found.verdict is Verdict.CONVERTED_IN_TWO_STEPS
    assert "from base 1996 by way of base 2004" in found.detail


def test_what_is_nothing_known_has_the_nearest_true_figure_beside_it() -> None:
    found = examined(APRIL, "144.60")
    assert (found.verdict, found.reading, found.figure.base_year) == (Verdict.UNKNOWN, None, 2004)
    assert found.detail == (
        "144.60 is no figure that is known here; the health index of 2022-04 in base 2004 is 144.43 (published)"
    )


def test_a_claim_within_the_margin_of_an_estimate_is_neither_right_nor_wrong() -> None:
    close, far = examined(Month(2026, 4), "230.80", 1988), examined(Month(2026, 4), "230.78", 1988)
    assert close.figure.provenance is Provenance.ESTIMATED
    assert close.verdict is not Verdict.MATCH
    assert close.detail.endswith("to 0.02: the claim lies within that")
    assert "the claim lies within" not in far.detail


@pytest.mark.parametrize(
    ("table", "claim", "error"),
    [
        (BUNDLED, Claim(APRIL, Decimal(1), 2020), UnknownBaseYear),
        (BUNDLED, Claim(Month(2010, 6), Decimal(1), 2025), NoFigure),
        (IndexTable([figure("2020-01", 2013, "109.72")]), Claim(Month(2020, 2), Decimal(1)), NoFigure),
        (
            IndexTable([figure("2020-01", 2013, "109.72")]),
            Claim(Month(2020, 1), Decimal(1), None, IndexKind.SMOOTHED),
            NoSmoothedFigure,
        ),
    ],
)
def test_where_there_is_nothing_to_compare_with_it_says_so(
    table: IndexTable, claim: Claim, error: type[Exception]
) -> None:
    with pytest.raises(error):
        examine(table, claim)
