from datetime import date

import pytest

from domain.errors import LogicalError
from domain.health_index.figures import BeforeFirstMonth, Month
from domain.health_index.table import NoFigure
from domain.leases.certificates import MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.places import NoPlace, RegionMismatch, SeveralRegions
from domain.leases.rent import AnniversaryAhead, DateOutOfRange, LeaseBeforeHealthIndex, MixedUpDates, Region
from domain.risk.releases import UnknownRelease
from domain.risk.tables import Zipcode
from domain.use_cases.health_index import NotYetPublished
from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages.catalogue import texts_of
from entrypoints.http.pages.messages import MESSAGES, message_of
from entrypoints.http.pages.writing import Writer

MONTH, DAY = Month(2026, 9), date(2026, 9, 1)
ERRORS: list[LogicalError] = [
    BeforeFirstMonth(Month(1990, 1), Month(1994, 1)),
    NotYetPublished(MONTH, Month(2026, 8), date(2026, 9, 29)),
    NoFigure(MONTH, 1988),
    DateOutOfRange(DAY, DAY, DAY),
    MixedUpDates(DAY, DAY, "it starts more than 31 days before it is signed"),
    LeaseBeforeHealthIndex(DAY, date(1994, 2, 1)),
    AnniversaryAhead(DAY, DAY),
    NoSuchLabel("G", Region.FLANDERS, ("A", "B", "none")),
    NotIndexable(Region.BRUSSELS, DAY, date(2022, 10, 14)),
    MeaninglessRentBefore("in Brussels the law starts from the rent by the ordinary rule"),
    NoPlace(Zipcode(9993)),
    SeveralRegions(Zipcode(1234), {"Here": Region.BRUSSELS, "There": Region.FLANDERS}),
    RegionMismatch(Zipcode(9000), Region.BRUSSELS, (Region.FLANDERS,)),
]


def test_every_message_is_tried_here() -> None:
    assert {type(each) for each in ERRORS} == set(MESSAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_refusal_is_said_in_the_language_with_its_data(error: LogicalError, language: str) -> None:
    texts = texts_of(language)
    message = message_of(error, texts, Writer(texts.writing))
    assert "{" not in message
    assert message != str(error)
    assert message.rstrip().endswith(".")


def test_dates_months_and_regions_are_written_as_the_language_writes_them() -> None:
    texts = texts_of("fr")
    message = message_of(ERRORS[1], texts, Writer(texts.writing))
    assert all(written in message for written in ("septembre 2026", "août 2026", "29 septembre 2026"))


def test_no_certificate_is_no_label_to_choose_from() -> None:
    texts = texts_of("en")
    assert "There are: A, B." in message_of(ERRORS[7], texts, Writer(texts.writing))


def test_what_no_page_meets_is_said_in_english() -> None:
    error = UnknownRelease("0009-00000000")
    texts = texts_of("nl")
    assert message_of(error, texts, Writer(texts.writing)) == str(error)
