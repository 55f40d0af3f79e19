"""What belref answers, as far as the tools read it. Decimals are texts with the digits that belref wrote."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

Exact = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+\.[0-9]+$")]
Provenance = Literal["published", "derived", "estimated"]


class Change(BaseModel):
    """In percent, on the month before and on the same month of the year before."""

    month: Exact | None = None
    year: Exact | None = None


class Figure(BaseModel):
    """The health index of a month in a base year, in index points, and its mean of four months."""

    month: str
    base_year: int
    value: Exact
    provenance: Provenance
    margin: Annotated[Exact | None, Field(description="an estimate may be off by this much")] = None
    smoothed: Exact | None = None
    smoothed_provenance: Provenance | None = None
    change: Change | None = None


class Freshness(BaseModel):
    latest_month: str
    as_of: Annotated[str, Field(description="when the source was last read")]
    source: str
    attribution: str
    next_publication: str
    status: Literal["fresh", "due", "overdue"]


class Month(BaseModel):
    month: str
    figures: Annotated[list[Figure], Field(min_length=1)]
    freshness: Freshness


class SeriesItem(BaseModel):
    month: str
    value: Exact
    provenance: Provenance
    margin: Exact | None = None
    smoothed: Exact | None = None
    smoothed_provenance: Provenance | None = None


class Series(BaseModel):
    base_year: int
    items: Annotated[list[SeriesItem], Field(min_length=1)]
    freshness: Freshness


class BaseYear(BaseModel):
    base_year: int


class BaseYears(BaseModel):
    items: list[BaseYear]


class Used(BaseModel):
    """One of the two figures of the fraction, in index points."""

    month: str
    base_year: int
    value: Exact
    provenance: Provenance


class AmountReceipt(BaseModel):
    amount: Exact
    indexed: Exact
    index: Literal["health", "smoothed"]
    base_year: int
    base_year_rule: str
    start: Used
    end: Used
    ratio: Exact
    formula: str
    rounding: str
    permalink: str
    attribution: str


class Rule(BaseModel):
    """Why these months, with the source of the rule."""

    starting_month: str
    new_month: str


class Energy(BaseModel):
    """What the law on energy certificates does to the rent; `formula` leads to it, after `steps`."""

    status: str
    label: str | None = None
    rule: str
    formula: str
    steps: list[str] = []
    share: Exact | None = None
    factor: Exact | None = None
    lowest_rent: Annotated[Exact | None, Field(description="what the worst label would leave")] = None
    conditions: list[str] = []
    inferred: str | None = None


class IndexSkip(BaseModel):
    """The Walloon index skip of 2016 to 2018."""

    rule: str
    formula: str


class RentReceipt(BaseModel):
    rent: Exact
    indexed_rent: Annotated[Exact, Field(description="what the lease may ask")]
    ordinary_rent: Annotated[Exact, Field(description="what the index alone would give")]
    region: str
    signed_on: str
    starts_on: str
    anniversary: Annotated[str, Field(description="from this day on")]
    base_year: int
    base_year_rule: str
    start: Used
    end: Used
    formula: Annotated[str, Field(description="leads to the ordinary rent")]
    rule: Rule
    energy: Energy
    index_skip: IndexSkip | None = None
    not_included: str
    permalink: str
    attribution: str


class Risk(BaseModel):
    zipcode: int
    risk_factor: str
    release: str


class Withdrawn(BaseModel):
    """A factor that a zipcode had before."""

    risk_factor: str
    release: str
    until: str
    until_release: str


class NoRisk(BaseModel):
    """The problem of a zipcode without a factor."""

    release: str
    withdrawn: Withdrawn | None = None


class Municipality(BaseModel):
    refnis: str
    name: dict[str, str]
    region: str


class Place(BaseModel):
    municipalities: list[Municipality]
    region: str | None = None
    attribution: str


class Publication(BaseModel):
    month: str
    expected_on: str
    status: Literal["known", "due", "overdue", "ahead"]


class Publications(BaseModel):
    items: list[Publication]


class Release(BaseModel):
    id: str
    label: str
    status: str
    counts: dict[str, int]
    activated_at: str | None = None


class Releases(BaseModel):
    items: list[Release]


class Reading(BaseModel):
    month: str
    base_year: int
    index: Literal["health", "smoothed"]
    value: Exact
    provenance: Provenance | None = None


class Check(BaseModel):
    claimed: Exact
    verdict: str
    figure: Reading
    detail: str
    attribution: str
