"""Which base year a fraction is taken in where the health index is known and its smoothed sibling is not."""

from decimal import Decimal

import pytest

from domain.health_index.figures import BeforeFirstMonth, Figure, Month, Provenance
from domain.health_index.indexation import (
    Indexation,
    IndexKind,
    InvalidAmount,
    MixedBaseYears,
    check_amount,
    index_amount,
    parse_amount,
    provenance_of,
)
from domain.health_index.table import NoFigure

START, END = Month(2010, 6), Month(2026, 3)
HEALTH, SMOOTHED = IndexKind.HEALTH, IndexKind.SMOOTHED


def smoothed_in_2013_alone(month: Month, base_year: int) -> Figure:
    """In base 2004 the smoothed index of the end month is not known."""
    known = base_year == 2013 or month == START
    return Figure(month, base_year, Decimal(100), Decimal(99) if known else None)


def health_in_2013_alone(month: Month, base_year: int) -> Figure:
    """In base 2004 the end month is not known, and in base 2013 nothing is smoothed."""
    if base_year != 2013 and month == END:
        raise NoFigure(month, base_year)
    return Figure(month, base_year, Decimal(100))


def test_each_kind_has_the_base_year_in_which_it_is_known() -> None:
    assert index_amount(smoothed_in_2013_alone, Decimal(1), START, END, kind=HEALTH).base_year == 2004
    assert index_amount(smoothed_in_2013_alone, Decimal(1), START, END, kind=SMOOTHED).base_year == 2013
    assert index_amount(health_in_2013_alone, Decimal(1), START, END, kind=HEALTH).base_year == 2013


@pytest.mark.parametrize(
    ("kind", "words"),
    [(HEALTH, "2013 is the base year that was asked for"), (SMOOTHED, "both months are taken in base 2013")],
)
def test_a_base_year_that_is_asked_for_is_explained_by_the_rule_where_the_rule_leads_to_it(
    kind: IndexKind, words: str
) -> None:
    done = index_amount(smoothed_in_2013_alone, Decimal(1), START, END, base_year=2013, kind=kind)
    assert done.base_year_rule.startswith(words)


def test_the_rule_says_that_no_law_does() -> None:
    done = index_amount(health_in_2013_alone, Decimal(1), START, END)
    assert done.base_year_rule.endswith("(no law names a base year; the Belgian rent calculators of 2026 do the same)")


def test_each_kind_has_a_provenance_of_its_own() -> None:
    figure = Figure(END, 2013, Decimal(100), Decimal(99), Provenance.PUBLISHED, Provenance.DERIVED)
    assert [provenance_of(figure, kind) for kind in (HEALTH, SMOOTHED)] == [Provenance.PUBLISHED, Provenance.DERIVED]


def test_a_month_before_the_first_is_named_with_the_first() -> None:
    with pytest.raises(BeforeFirstMonth) as caught:
        index_amount(health_in_2013_alone, Decimal(1), Month(1993, 12), END)
    assert (caught.value.month, caught.value.first_month) == (Month(1993, 12), Month(1994, 1))


def test_refusals_say_word_for_word_what_would_be_right() -> None:
    with pytest.raises(InvalidAmount) as written:
        parse_amount("5e2")
    assert str(written.value) == (
        "'5e2' is not an amount: write digits, with a point before the cents if any, such as 500.50"
    )
    with pytest.raises(InvalidAmount) as number:
        check_amount(Decimal("NaN"))
    assert str(number.value) == "'NaN' is not an amount: it is not a number"
    with pytest.raises(MixedBaseYears) as mixed:
        Indexation(Decimal(1), Figure(START, 2004, Decimal(100)), Figure(END, 2013, Decimal(100)))
    assert str(mixed.value).endswith("in base 2013: one fraction takes one base year")
    with pytest.raises(NoFigure) as missing:
        health_in_2013_alone(END, 2004)
    assert str(missing.value).endswith(
        "that takes a figure in the base year then in force, and an official coefficient from there"
    )
