"""Figures as clients get them, in JSON and CSV."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from domain.health_index.calendar import Status
from domain.health_index.figures import Figure, Provenance
from domain.health_index.table import Movement
from domain.use_cases.health_index import IndexView

ATTRIBUTION = "Statbel (Statistics Belgium), CC BY 4.0"


class ChangeBody(msgspec.Struct, frozen=True):
    """By how many percent the index differs from that of the month before, and of the same month of the year before;
    without the one that is not known.
    """

    month: Decimal | msgspec.UnsetType = msgspec.UNSET
    year: Decimal | msgspec.UnsetType = msgspec.UNSET


class IndexFigure(msgspec.Struct, frozen=True):
    """The health index of a month in a base year, in index points. An estimated one may be off by its margin."""

    base_year: int
    month: str
    value: Decimal
    provenance: Provenance
    smoothed: Decimal | msgspec.UnsetType = msgspec.UNSET
    smoothed_provenance: Provenance | msgspec.UnsetType = msgspec.UNSET
    margin: Decimal | msgspec.UnsetType = msgspec.UNSET
    change: ChangeBody | msgspec.UnsetType = msgspec.UNSET


class FreshnessBody(msgspec.Struct, frozen=True):
    """How current the figures are. `next_publication` lies in the past when the status is overdue."""

    latest_month: str
    as_of: datetime
    source: str
    attribution: str
    next_publication: date
    status: Status


class MonthBody(msgspec.Struct, frozen=True):
    """The figures of a month, or the latest ones; latest base year first."""

    month: str
    figures: list[IndexFigure]
    freshness: FreshnessBody


class BaseYearBody(msgspec.Struct, frozen=True, kw_only=True):
    """A base year: the months that can be answered, those that Statbel published, and the period in which it computed
    the index in it, open at the end while that lasts and absent where it is not known.
    """

    base_year: int
    first_month: str
    last_month: str
    first_published: str
    last_published: str
    in_force_from: str | msgspec.UnsetType = msgspec.UNSET
    in_force_to: str | msgspec.UnsetType = msgspec.UNSET


class BaseYearsBody(msgspec.Struct, frozen=True):
    """All base years, latest first."""

    items: list[BaseYearBody]
    total: int


class SeriesItem(msgspec.Struct, frozen=True):
    """One month of a series."""

    month: str
    value: Decimal
    provenance: Provenance
    smoothed: Decimal | msgspec.UnsetType = msgspec.UNSET
    smoothed_provenance: Provenance | msgspec.UnsetType = msgspec.UNSET
    margin: Decimal | msgspec.UnsetType = msgspec.UNSET


class SeriesBody(msgspec.Struct, frozen=True):
    """The figures of a base year, ascending."""

    base_year: int
    items: list[SeriesItem]
    total: int
    freshness: FreshnessBody


def freshness_body(view: IndexView) -> FreshnessBody:
    """How current the figures of a view are."""
    known = view.freshness
    as_of = known.as_of.astimezone(UTC).replace(microsecond=0)
    return FreshnessBody(
        str(known.latest_month), as_of, known.source, ATTRIBUTION, known.next_publication, known.status
    )


def figure_bodies(view: IndexView, figures: Sequence[Figure]) -> list[IndexFigure]:
    """Figures of a view as they are answered."""
    changes = {month: _change(view.table.movement(month)) for month in {figure.month for figure in figures}}
    return [IndexFigure(f.base_year, str(f.month), f.value, f.provenance, *_more(f), changes[f.month]) for f in figures]


def series_item(f: Figure) -> SeriesItem:
    """A figure as one month of a series."""
    return SeriesItem(str(f.month), f.value, f.provenance, *_more(f))


Wire = TypeVar("Wire")


def _more(
    figure: Figure,
) -> tuple[Decimal | msgspec.UnsetType, Provenance | msgspec.UnsetType, Decimal | msgspec.UnsetType]:
    """The smoothed index, its provenance and the margin, as far as there are any."""
    margin = or_unset(figure.margin)
    if figure.smoothed is None:
        return msgspec.UNSET, msgspec.UNSET, margin
    return figure.smoothed, figure.smoothed_provenance, margin


def _change(movement: Movement) -> ChangeBody | msgspec.UnsetType:
    if movement.month is None and movement.year is None:
        return msgspec.UNSET
    return ChangeBody(or_unset(movement.month), or_unset(movement.year))


def or_unset(value: Wire | None) -> Wire | msgspec.UnsetType:
    """A value that may be missing, as it is left out of an answer."""
    return msgspec.UNSET if value is None else value


def csv_lines(figures: Sequence[Figure]) -> str:
    """The figures as CSV with a header; an empty field is a figure that is not known."""
    rows = (
        f"{f.month},{f.value},{f.provenance},"
        + ("," if f.smoothed is None else f"{f.smoothed},{f.smoothed_provenance}")
        for f in figures
    )
    return "\r\n".join(["month,value,provenance,smoothed,smoothed_provenance", *rows, ""])
