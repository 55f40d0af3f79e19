"""What the domain refuses, in the words of a language."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from domain.errors import LogicalError
from domain.health_index.figures import BeforeFirstMonth, Month
from domain.health_index.table import NoFigure
from domain.leases.certificates import EnergyLabel, MeaninglessRentBefore, NoSuchLabel, NotIndexable
from domain.leases.places import NoPlace, RegionMismatch, SeveralRegions
from domain.leases.rent import AnniversaryAhead, DateOutOfRange, LeaseBeforeHealthIndex, MixedUpDates, Region
from domain.use_cases.health_index import NotYetPublished
from entrypoints.http.pages.catalogue import Errors, Texts
from entrypoints.http.pages.writing import Writer

MESSAGES: Mapping[type[LogicalError], tuple[Callable[[Errors], str], Mapping[str, str]]] = {
    BeforeFirstMonth: (lambda words: words.before_first_month, {"first": "first_month", "month": "month"}),
    NotYetPublished: (
        lambda words: words.not_yet_published,
        {"month": "month", "latest": "latest_month", "date": "next_publication"},
    ),
    NoFigure: (lambda words: words.no_figure, {"month": "month", "base_year": "base_year"}),
    DateOutOfRange: (lambda words: words.date_range, {"date": "value", "first": "first", "last": "last"}),
    MixedUpDates: (lambda words: words.mixed_up, {"signed_on": "signed_on", "starts_on": "starts_on"}),
    LeaseBeforeHealthIndex: (lambda words: words.too_old, {"first": "first_signature"}),
    AnniversaryAhead: (lambda words: words.anniversary_ahead, {"date": "first_anniversary"}),
    NoSuchLabel: (lambda words: words.no_such_label, {"label": "label", "region": "region", "known": "known"}),
    NotIndexable: (lambda words: words.not_indexable, {"region": "region", "date": "since"}),
    MeaninglessRentBefore: (lambda words: words.rent_before, {}),
    NoPlace: (lambda words: words.no_place, {"zipcode": "zipcode"}),
    SeveralRegions: (lambda words: words.several_regions, {"zipcode": "zipcode"}),
    RegionMismatch: (lambda words: words.region_mismatch, {"zipcode": "zipcode", "region": "region"}),
}
"""For each error that a page meets: its text, and the data of the error that fill the blanks of it."""


def message_of(error: LogicalError, texts: Texts, writer: Writer) -> str:
    """What is wrong, and what would be right. An error that no page is known to meet says so in English."""
    if type(error) not in MESSAGES:
        return str(error)
    pick, blanks = MESSAGES[type(error)]
    values = {blank: _written(getattr(error, name), texts, writer) for blank, name in blanks.items()}
    return pick(texts.errors).format(**values)


def _written(value: Any, texts: Texts, writer: Writer) -> str:
    match value:
        case Month():
            return writer.month(value)
        case date():
            return writer.date(value)
        case Region():
            return region_name(value, texts)
        case tuple():
            return ", ".join(each for each in value if each != EnergyLabel.NONE)
        case _:
            return str(value)


def region_name(region: Region, texts: Texts) -> str:
    """The name of a region in the language of these texts."""
    return str(getattr(texts.rent, region.replace("-", "_")))
