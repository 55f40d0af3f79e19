"""What a figure that somebody claims really is.

Tables of this index circulate with figures of another base year, another month, the smoothed index, or a conversion in
two steps. Such a mix-up can be named, since each of them leads to a figure that is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.health_index.figures import Figure, Month, Provenance, convert
from domain.health_index.indexation import IndexKind, NoSmoothedFigure, index_of, provenance_of
from domain.health_index.table import IndexTable, NoFigure


class Verdict(StrEnum):
    """What a claimed value is. `smoothed`: the health index and the smoothed one are mixed up, either way."""

    MATCH = "match"
    OTHER_BASE_YEAR = "otherBaseYear"
    OTHER_MONTH = "otherMonth"
    SMOOTHED = "smoothed"
    CONVERTED_IN_TWO_STEPS = "convertedInTwoSteps"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reading:
    """An index of one kind, in index points: a figure, or what a wrong conversion makes of one.

    `by_way_of` is the base year between the two steps of such a conversion, `converted_from` the one that it starts in.
    """

    month: Month
    base_year: int
    kind: IndexKind
    value: Decimal
    provenance: Provenance | None
    margin: Decimal | None = None
    converted_from: int | None = None
    by_way_of: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """That the index of a month is this value, in index points; in any base year where none is named."""

    month: Month
    value: Decimal
    base_year: int | None = None
    kind: IndexKind = IndexKind.HEALTH


@dataclass(frozen=True, slots=True)
class Finding:
    """What a claim is, `figure` being the true one and `reading` what the claimed value is, where it is anything."""

    claim: Claim
    verdict: Verdict
    figure: Reading
    reading: Reading | None

    @property
    def detail(self) -> str:
        """The finding in words for anyone."""
        claimed, true = f"{self.claim.value:f}", _in_words(self.figure)
        if self.reading is None:
            return f"{claimed} is no figure that is known here; {true}{self._within_margin}"
        if self.verdict is Verdict.MATCH:
            return f"{claimed} is right: {true}"
        if self.verdict is Verdict.CONVERTED_IN_TWO_STEPS:
            way = f"from base {self.reading.converted_from} by way of base {self.reading.by_way_of}"
            return f"{claimed} was converted in two steps, {way}, and is off by rounding; {true}"
        return f"{claimed} is something else: {_in_words(self.reading)}; {true}"

    @property
    def _within_margin(self) -> str:
        if self.figure.margin is None or abs(self.claim.value - self.figure.value) > self.figure.margin:
            return ""
        return f", to {self.figure.margin}: the claim lies within that"


def examine(table: IndexTable, claim: Claim) -> Finding:
    """Name what a claimed value is; of several things that it may be, the likeliest.

    In this order: the figure claimed; that of another base year; the other of the two indices; the month before or the
    one after; a conversion in two steps; any other month, the nearest first. Where the claim names no base year, each
    is tried in every base year, latest first.

    :raises UnknownBaseYear: for a base year without any published figure
    :raises BeforeFirstMonth: before January 1994
    :raises NoFigure: where there is nothing to compare with, in the month or in the base year that is named
    :raises NoSmoothedFigure: where the smoothed index is claimed, and not known
    """
    wanted = table.base_years if claim.base_year is None else (claim.base_year,)
    true = _true_figures(table, claim, wanted)
    for verdict, reading in _readings(table, claim, wanted):
        if reading.value == claim.value:
            beside = next((each for each in true if each.base_year == reading.base_year), None)
            return Finding(claim, verdict, beside or true[0], reading)
    nearest = min(true, key=lambda each: abs(each.value - claim.value))
    return Finding(claim, Verdict.UNKNOWN, nearest, None)


def _true_figures(table: IndexTable, claim: Claim, base_years: tuple[int, ...]) -> list[Reading]:
    """What the claim should have said, in each base year that it may have meant."""
    if claim.base_year is not None:
        figures = [table.figure(claim.month, claim.base_year)]
    else:
        figures = table.of_month(claim.month)
        if not figures:
            raise NoFigure(claim.month, base_years[0])
    true = [_reading(figure, claim.kind) for figure in figures if _has(figure, claim.kind)]
    if not true:
        raise NoSmoothedFigure(claim.month, figures[0].base_year)
    return true


def _readings(table: IndexTable, claim: Claim, wanted: tuple[int, ...]) -> Iterator[tuple[Verdict, Reading]]:
    """Everything that the claimed value may be, the likeliest first."""
    here = {figure.base_year: figure for figure in table.of_month(claim.month)}
    meant = [here[base] for base in wanted if base in here]
    others = [figure for base, figure in here.items() if base not in wanted]
    other_kind = IndexKind.SMOOTHED if claim.kind is IndexKind.HEALTH else IndexKind.HEALTH
    for verdict, figures, kind in (
        (Verdict.MATCH, meant, claim.kind),
        (Verdict.OTHER_BASE_YEAR, others, claim.kind),
        (Verdict.SMOOTHED, [*meant, *others], other_kind),
    ):
        yield from ((verdict, _reading(figure, kind)) for figure in figures if _has(figure, kind))
    months = [item for base in wanted for item in table.whole_series(base) if item.month != claim.month]
    months.sort(key=lambda item: abs(_distance(item.month, claim.month)))
    near = [item for item in months if abs(_distance(item.month, claim.month)) == 1]
    yield from ((Verdict.OTHER_MONTH, _reading(item, claim.kind)) for item in near if _has(item, claim.kind))
    for base in wanted:
        yield from ((Verdict.CONVERTED_IN_TWO_STEPS, each) for each in _in_two_steps(table, claim, here, base))
    yield from ((Verdict.OTHER_MONTH, _reading(item, claim.kind)) for item in months if _has(item, claim.kind))


def _in_two_steps(table: IndexTable, claim: Claim, here: dict[int, Figure], base_year: int) -> Iterator[Reading]:
    """What comes of converting a figure that was converted already, or that goes back to the base that it came from."""
    in_force = table.base_in_force(claim.month)
    for between, figure in here.items():
        if in_force is None or between in {base_year, in_force} or not _has(figure, claim.kind):
            continue
        value = convert(index_of(figure, claim.kind), between, base_year)
        if value is not None:
            yield Reading(claim.month, base_year, claim.kind, value, None, converted_from=in_force, by_way_of=between)


def _reading(figure: Figure, kind: IndexKind) -> Reading:
    margin = figure.margin if provenance_of(figure, kind) is Provenance.ESTIMATED else None
    value, provenance = index_of(figure, kind), provenance_of(figure, kind)
    return Reading(figure.month, figure.base_year, kind, value, provenance, margin)


def _has(figure: Figure, kind: IndexKind) -> bool:
    return kind is IndexKind.HEALTH or figure.smoothed is not None


def _distance(one: Month, other: Month) -> int:
    return (one.year - other.year) * 12 + one.number - other.number


def _in_words(reading: Reading) -> str:
    index = "health index" if reading.kind is IndexKind.HEALTH else "smoothed health index"
    return f"the {index} of {reading.month} in base {reading.base_year} is {reading.value} ({reading.provenance})"
