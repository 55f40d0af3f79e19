"""The smoothed health index: the mean of four months, by the rule of its time."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month, Provenance
from domain.health_index.table import IndexTable

BUNDLED = IndexTable(load_snapshot().figures)
WITHOUT_SMOOTHED = IndexTable(replace(figure, smoothed=None) for figure in BUNDLED.figures())


def _smoothed(table: IndexTable, month: str, base_year: int) -> Decimal | None:
    return table.figure(Month.parse(month), base_year).smoothed


def test_the_rule_reproduces_every_smoothed_figure_that_is_published() -> None:
    published = [f for f in BUNDLED.figures() if f.smoothed is not None]
    assert len(published) == 999
    assert len([f for f in published if f.base_year == 2025]) == 13
    for figure in published:
        computed = WITHOUT_SMOOTHED.figure(figure.month, figure.base_year)
        assert (computed.smoothed, computed.smoothed_provenance) == (figure.smoothed, Provenance.DERIVED), figure


def test_it_is_the_mean_of_four_months() -> None:
    months = [BUNDLED.figure(Month(2012, number), 2004).value for number in (1, 2, 3, 4)]
    mean = (sum(months, Decimal()) / 4).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert _smoothed(WITHOUT_SMOOTHED, "2012-04", 2004) == mean


@pytest.mark.parametrize(("month", "smoothed"), [("1994-01", "69.81"), ("1994-02", "69.92"), ("1994-03", "69.93")])
def test_at_the_start_it_is_the_mean_of_the_months_that_there_are(month: str, smoothed: str) -> None:
    assert _smoothed(WITHOUT_SMOOTHED, month, 2013) == Decimal(smoothed)


@pytest.mark.parametrize("month", ["2015-04", "2015-09", "2016-03"])
def test_it_stood_still_for_a_year(month: str) -> None:
    blocked = {base: _smoothed(WITHOUT_SMOOTHED, month, base) for base in (2013, 2004, 1996, 1988)}
    assert {base: str(value) for base, value in blocked.items()} == {
        2013: "100.66",
        2004: "121.57",
        1996: "138.31",
        1988: "166.75",
    }


def test_the_factor_of_two_per_cent_starts_in_april_2016() -> None:
    months = [BUNDLED.figure(Month(2016, number), 2013).value for number in (1, 2, 3, 4)]
    mean = sum(months, Decimal()) / 4
    assert _smoothed(WITHOUT_SMOOTHED, "2016-04", 2013) == (mean * Decimal("0.98")).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )


def test_before_2006_base_2004_is_smoothed_in_itself() -> None:
    assert _smoothed(WITHOUT_SMOOTHED, "1999-03", 2004) == Decimal("90.63")  # 90.62 by way of base 1996


def test_a_published_smoothed_figure_is_never_replaced() -> None:
    figure = BUNDLED.figure(Month(2023, 11), 2013)
    assert (figure.smoothed, figure.smoothed_provenance) == (Decimal("125.73"), Provenance.PUBLISHED)


def test_where_a_month_of_the_four_is_missing_there_is_none() -> None:
    lonely = IndexTable([Figure(Month(2020, 4), 2013, Decimal("109.93"))])
    assert lonely.figure(Month(2020, 4), 2013).smoothed is None


def test_in_a_base_year_that_nobody_knows_there_is_none() -> None:
    unheard_of = [Figure(Month(2036, number), 2035, Decimal("101.00")) for number in range(1, 6)]
    assert IndexTable(unheard_of).figure(Month(2036, 5), 2035).smoothed is None
