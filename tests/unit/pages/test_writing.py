from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_index.figures import Month
from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages.catalogue import texts_of
from entrypoints.http.pages.writing import Writer, iso_day, iso_month, plain_amount

WRITERS = {language: Writer(texts_of(language).writing) for language in LANGUAGES}
amounts = st.integers(min_value=1, max_value=10**11).map(lambda cents: Decimal(cents).scaleb(-2))


def blanks_as_they_look(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("language", "euro", "month", "day", "change"),
    [
        ("nl", "€ 1.147,39", "maart 2026", "1 maart 2026", "+3,22 %"),
        ("fr", "1 147,39 €", "mars 2026", "1er mars 2026", "+3,22 %"),
        ("de", "1.147,39 €", "März 2026", "1. März 2026", "+3,22 %"),
        ("en", "€1,147.39", "March 2026", "1 March 2026", "+3.22%"),
    ],
)
def test_each_language_writes_in_its_own_way(language: str, euro: str, month: str, day: str, change: str) -> None:
    writer = WRITERS[language]
    written = [
        writer.euro(Decimal("1147.39")),
        writer.month(Month(2026, 3)),
        writer.date(date(2026, 3, 1)),
        writer.change(Decimal("3.22")),
    ]
    assert [blanks_as_they_look(text) for text in written] == [euro, month, day, change]


def test_a_fall_has_a_minus_and_no_change_has_no_sign() -> None:
    assert WRITERS["en"].change(Decimal("-0.14")) == "\N{MINUS SIGN}0.14%"
    assert WRITERS["en"].change(Decimal("0.00")) == "0.00%"


@pytest.mark.parametrize("language", LANGUAGES)
@given(amounts)
def test_an_amount_is_read_as_it_was_written(language: str, amount: Decimal) -> None:
    plain = plain_amount(WRITERS[language].euro(amount))
    assert plain is not None
    assert Decimal(plain) == amount


@pytest.mark.parametrize("text", ["1000", "1.000", "1,000", "1 000", "1'000", "€ 1.000,00", "1,000.00 €", " 1000 "])
def test_a_thousand_is_a_thousand_in_every_notation(text: str) -> None:
    plain = plain_amount(text)
    assert plain is not None
    assert Decimal(plain) == 1000


@pytest.mark.parametrize(
    "text", ["", "-5", "1e3", "12,345.6.7", "1.0000", "1.000.00", "1.000.000.0", "850,505", "x", "१"]
)
def test_what_may_mean_two_things_or_none_is_no_amount(text: str) -> None:
    assert plain_amount(text) in {None, "850505"}


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_a_day_is_read_in_the_orders_in_which_it_is_written(day: date) -> None:
    for text in (day.isoformat(), f"{day:%d/%m/%Y}", f"{day.day}.{day.month}.{day.year}", f"{day:%d-%m-%Y}"):
        assert iso_day(text) == day


@pytest.mark.parametrize("text", ["", "2026-02-30", "31/02/2026", "2026", "20260101", "2026-W01-1", "01/09/12"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert iso_day(text) is None


def test_a_month_is_read_with_its_year_last_too() -> None:
    assert [iso_month(text) for text in ("05/2012", "5-2012", "2012-05", "May")] == [
        "2012-05",
        "2012-05",
        "2012-05",
        "May",
    ]
