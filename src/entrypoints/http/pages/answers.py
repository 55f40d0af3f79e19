"""What each page shows: the answers of the use cases, as the templates fill them in."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from domain.errors import LogicalError
from domain.health_index.figures import FIRST_MONTH, Figure, base_in_force
from domain.health_index.indexation import Indexation, index_amount
from domain.leases.places import NoPlace, Place, Places
from domain.risk.releases import NoRiskFactor, Withdrawal
from domain.risk.tables import RiskFactor, Zipcode
from domain.use_cases.health_index import IndexView
from domain.use_cases.zipcodes import RiskView
from entrypoints.http.pages.forms import Form
from entrypoints.http.pages.messages import message_of
from entrypoints.http.pages.plots import OlderFigures, index_plot
from entrypoints.http.pages.rendering import Reader
from entrypoints.http.pages.rents import RENT_FIELDS
from entrypoints.http.pages.sums import Sum, amount_sum

AMOUNT_FIELDS = ("amount", "from", "to")
ZIPCODE_FIELDS = ("zipcode",)


# -- the health index ---------------------------------------------------------------------------------


def front(view: IndexView, base: int, reader: Reader) -> dict[str, Any]:
    """The latest figure in one base year, its change, and how current it is."""
    (figure,) = view.latest(base)
    series = view.series(base)
    older = _older(view, series)
    drawn = series if older is None else [*older.figures, *series]
    writer, texts = reader.writer, reader.texts.front
    last = writer.month(series[-1].month)
    description = texts.plot_description.format(
        first=writer.month(series[0].month),
        first_value=writer.number(series[0].value),
        last=last,
        last_value=writer.number(series[-1].value),
        base_year=base,
    )
    title = texts.plot_title.format(first=writer.month(drawn[0].month), last=last)
    return {
        "figure": figure,
        "movement": view.table.movement(figure.month),
        "freshness": view.freshness,
        "base_years": view.table.base_years,
        "plot": index_plot(series, older, writer, title, description),
        "older": older,
        "years": _by_year(drawn),
        "rent_form": Form("rent", RENT_FIELDS, {}, reader.texts, writer),
        "amount_form": Form("amount", AMOUNT_FIELDS, {}, reader.texts, writer),
        "zipcode_form": Form("zipcode", ZIPCODE_FIELDS, {}, reader.texts, writer),
    }


def _older(view: IndexView, series: list[Figure]) -> OlderFigures | None:
    """The months before a series begins, from the latest base year that has them and the first month of the series."""
    joint = series[0]
    if joint.month == FIRST_MONTH:
        return None
    for base in view.table.base_years:
        figures = view.table.series(base, FIRST_MONTH, joint.month)
        if figures and (figures[0].month, figures[-1].month) == (FIRST_MONTH, joint.month):
            return OlderFigures(figures[:-1], joint.value / figures[-1].value)
    return None


def _by_year(series: Sequence[Figure]) -> list[tuple[int, list[Figure | None]]]:
    """Latest year first, with a place for each of its months."""
    years: dict[int, list[Figure | None]] = {}
    for figure in reversed(series):
        years.setdefault(figure.month.year, [None] * 12)[figure.month.number - 1] = figure
    return list(years.items())


# -- an amount ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AmountAnswer:
    """An indexed amount, and the address of the same for machines."""

    done: Indexation
    sum: Sum
    machine: str

    @property
    def change(self) -> Decimal:
        """In percent, for people: half up to two decimals."""
        return (self.done.ratio * 100 - 100).quantize(Decimal("0.01"))

    @property
    def is_in_force(self) -> bool:
        """Whether the base year is that of the starting month."""
        return self.done.base_year == base_in_force(self.done.start.month)


def amount(view: IndexView, form: Form, reader: Reader) -> AmountAnswer | None:
    """The answer to the form, or none where it holds an error."""
    given, first, last = form.amount("amount"), form.month("from"), form.month("to")
    if given is None or first is None or last is None:
        return None
    try:
        done = index_amount(view.figure, given, first, last)
    except LogicalError as error:
        field = "from" if getattr(error, "month", None) == first else "to"
        form.refuse(field, message_of(error, reader.texts, reader.writer))
        return None
    query = {"amount": done.amount, "from": first, "to": last}
    return AmountAnswer(done, amount_sum(done, reader), f"/v1/indexations?{urlencode(query)}")


# -- a zipcode ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ZipcodeAnswer:
    """What the table in service says of a zipcode; `withdrawn` where it once said more."""

    zipcode: Zipcode
    release: str
    factor: RiskFactor | None = None
    withdrawn: Withdrawal | None = None
    place: Place | None = None

    @property
    def machine(self) -> str:
        """The address of the same for machines."""
        return f"/v1/zipcodes/{self.zipcode}"


def zipcode(view: RiskView, places: Places, form: Form) -> ZipcodeAnswer | None:
    """The answer to the form, or none where it holds an error."""
    number = form.zipcode("zipcode")
    if number is None:
        return None
    place = None
    with suppress(NoPlace):
        place = places.place(number)
    try:
        return ZipcodeAnswer(number, view.release.id, view.factor(number), place=place)
    except NoRiskFactor as error:
        return ZipcodeAnswer(number, view.release.id, withdrawn=error.withdrawal, place=place)
