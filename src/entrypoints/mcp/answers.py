"""What the tools answer: typed for programs, and as text with the source, an address and a line to cite."""

from abc import abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

from entrypoints.mcp.bodies import (
    AmountReceipt,
    Energy,
    Figure,
    Freshness,
    IndexSkip,
    Municipality,
    Publication,
    Rule,
    Used,
    Withdrawn,
)


class Answer(BaseModel):
    source: Annotated[str, Field(description="who published the figures, and under which licence")]
    permalink: Annotated[str, Field(description="the same again, as it was known now")]
    cite: Annotated[str, Field(description="one line to cite")]

    def text(self) -> str:
        """The answer to read."""
        return "\n".join(
            [*self.lines(), f"Source: {self.source}", f"Permalink: {self.permalink}", f"Cite: {self.cite}"]
        )

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """What it says, before the source."""


def points(figure: Figure) -> str:
    """A figure in words."""
    off = "" if figure.margin is None else f", may be off by {figure.margin}"
    smoothed = "" if figure.smoothed is None else f"; smoothed {figure.smoothed} ({figure.smoothed_provenance})"
    return f"{figure.month}, base {figure.base_year}: {figure.value} ({figure.provenance}{off}){smoothed}"


class IndexAnswer(Answer):
    figures: list[Figure]
    freshness: Freshness

    def lines(self) -> Iterator[str]:
        yield "Belgian health index"
        yield from map(points, self.figures)
        if len(self.figures) == 1 and (change := self.figures[0].change) is not None:
            if change.month is not None:
                yield f"{change.month} % on the month before"
            if change.year is not None:
                yield f"{change.year} % on the same month of the year before"
        yield from staleness(self.freshness)


class AmountAnswer(Answer):
    amount: str
    indexed: str
    index: str
    base_year: int
    base_year_rule: str
    start: Used
    end: Used
    ratio: str
    formula: str
    rounding: str

    def lines(self) -> Iterator[str]:
        kind = "smoothed health index" if self.index == "smoothed" else "health index"
        yield f"{self.amount} euro of {self.start.month} are {self.indexed} euro in {self.end.month}, by the {kind}."
        yield f"Calculation: {self.formula}"
        yield f"Base year: {self.base_year_rule}"


class RentAnswer(Answer):
    rent: str
    indexed_rent: str
    ordinary_rent: str
    region: str
    signed_on: str
    starts_on: str
    anniversary: Annotated[str, Field(description="the rent holds from this day on")]
    base_year: int
    base_year_rule: str
    start: Used
    end: Used
    formula: Annotated[str, Field(description="leads to the ordinary rent")]
    rule: Rule
    energy: Energy
    index_skip: IndexSkip | None = None
    not_included: str

    def lines(self) -> Iterator[str]:
        yield (
            f"The lease of {self.signed_on} ({self.region}) may ask {self.indexed_rent} euro from {self.anniversary} "
            f"on; the index alone would give {self.ordinary_rent}."
        )
        yield f"By the index: {self.formula}"
        if self.index_skip is not None:
            yield f"Index skip: {self.index_skip.rule}"
        yield from self.energy.steps
        yield f"By the law ({self.energy.status}): {self.energy.formula}"
        if self.energy.lowest_rent is not None:
            yield f"No energy label was given: with the worst one it would be {self.energy.lowest_rent}."
        yield f"Starting index: {self.rule.starting_month}"
        yield f"New index: {self.rule.new_month}"
        yield f"Base year: {self.base_year_rule}"
        yield from (f"To be checked: {each}" for each in self.energy.conditions)
        if self.energy.inferred is not None:
            yield self.energy.inferred
        yield self.not_included


class ZipcodeAnswer(Answer):
    zipcode: int
    risk_factor: Annotated[str | None, Field(description="A, B or C; absent where the table has none")] = None
    release: Annotated[str, Field(description="the release of the risk table")]
    withdrawn: Withdrawn | None = None
    municipalities: list[Municipality]
    region: Annotated[str | None, Field(description="whose law of rents holds")] = None

    def lines(self) -> Iterator[str]:
        if self.risk_factor is None:
            yield f"Zipcode {self.zipcode} has no risk factor in release {self.release}."
        else:
            yield f"Zipcode {self.zipcode} has risk factor {self.risk_factor} (release {self.release})."
        if (was := self.withdrawn) is not None:
            yield f"It had {was.risk_factor} until {was.until}, in release {was.release}."
        names = [" / ".join(dict.fromkeys(each.name.values())) for each in self.municipalities]
        yield f"Municipality: {', '.join(names)}" if names else "It belongs to no municipality."
        if self.region is not None:
            yield f"Region: {self.region}"


class FreshnessAnswer(Answer):
    figures: Freshness
    missing: Annotated[list[Publication], Field(description="months that should be known by now")]
    next: Annotated[Publication | None, Field(description="the next publication ahead")] = None
    release: Annotated[str | None, Field(description="of the risk table in service")] = None
    table: Annotated[str | None, Field(description="its label")] = None
    in_service_since: str | None = None
    zipcodes: Annotated[int | None, Field(description="how many have a risk factor")] = None

    def lines(self) -> Iterator[str]:
        known = self.figures
        yield f"Health index: {known.latest_month} is the latest month, read from {known.source} at {known.as_of}."
        yield f"Status: {known.status}"
        if self.missing:
            yield "Not known here yet: " + ", ".join(f"{each.month} ({each.expected_on})" for each in self.missing)
        if self.next is not None:
            yield f"Next publication: {self.next.month}, expected on {self.next.expected_on}"
        if self.release is None:
            yield "Risk table: none is in service, or its store does not answer."
        else:
            since = "" if self.in_service_since is None else f", in service since {self.in_service_since}"
            yield f"Risk table: release {self.release} ({self.table}){since}; {self.zipcodes} zipcodes."


class ClaimAnswer(Answer):
    right: bool
    what: Annotated[str, Field(description="what was claimed")]
    claimed: str
    correct: str
    difference: Annotated[str, Field(description="claimed less correct")]
    why: Annotated[list[str], Field(description="what leads to the claimed figure, the likeliest first")]

    def lines(self) -> Iterator[str]:
        if self.right:
            yield f"Right: {self.what} is {self.correct}."
        else:
            side = "too high" if Decimal(self.difference) > 0 else "too low"
            yield f"Wrong: {self.what} is {self.correct}, not {self.claimed} ({self.difference.lstrip('-')} {side})."
        yield from self.why


def staleness(known: Freshness) -> Iterator[str]:
    """A word where a later month should be known by now."""
    if known.status == "overdue":
        yield f"A later month was expected on {known.next_publication} and is not known here yet."


def amount_cite(receipt: AmountReceipt, link: str) -> str:
    """One line for an indexed amount."""
    return (
        f"{receipt.amount} euro of {receipt.start.month} = {receipt.indexed} euro in {receipt.end.month} "
        f"({receipt.index} index, base {receipt.base_year}). {receipt.attribution}. {link}"
    )
