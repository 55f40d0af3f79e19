"""Five of the six tools: figures, amounts, rents, zipcodes, and how current all of them are."""

from entrypoints.mcp.answers import (
    AmountAnswer,
    FreshnessAnswer,
    IndexAnswer,
    RentAnswer,
    ZipcodeAnswer,
    amount_cite,
)
from entrypoints.mcp.api import Belref, BelrefError, NotNowError, RefusedError
from entrypoints.mcp.arguments import (
    MOST_MONTHS,
    AmountQuestion,
    FreshnessQuestion,
    IndexQuestion,
    RentQuestion,
    ZipcodeQuestion,
)
from entrypoints.mcp.bodies import (
    AmountReceipt,
    Figure,
    Freshness,
    Month,
    NoRisk,
    Place,
    Publications,
    Releases,
    RentReceipt,
    Risk,
    Series,
)

INDEX, AMOUNTS, RENTS = "/v1/health-index", "/v1/indexations", "/v1/rent-indexations"
LATEST = f"{INDEX}/latest"
_TABLE = "the risk table of this belref"


class UnfitError(BelrefError):
    """Arguments that do not fit together; the message says what would."""


async def health_index(belref: Belref, asked: IndexQuestion) -> IndexAnswer:
    if asked.to is not None:
        return await _series(belref, asked, asked.to)
    path = LATEST if asked.month is None else f"{INDEX}/{asked.month}"
    found = await belref.get(Month, path, {"base_year": asked.base_year})
    link = belref.link(path, base_year=asked.base_year, as_of=found.freshness.as_of)
    return _index_answer(found.figures, found.freshness, link)


async def _series(belref: Belref, asked: IndexQuestion, last: str) -> IndexAnswer:
    if asked.month is None or asked.base_year is None:
        missing = "month" if asked.month is None else "base_year"
        raise UnfitError(f"{missing} is missing: a series goes from month to `to` in one base_year, such as 2013")
    months = _number(last) - _number(asked.month) + 1
    if months > MOST_MONTHS:
        raise UnfitError(
            f"{asked.month} to {last} are {months} months: a series has at most {MOST_MONTHS}; ask for less"
        )
    period: dict[str, str | int | None] = {"base_year": asked.base_year, "from": asked.month, "to": last}
    found = await belref.get(Series, INDEX, period)
    figures = [Figure(base_year=found.base_year, **item.model_dump()) for item in found.items]
    return _index_answer(figures, found.freshness, belref.link(INDEX, **period, as_of=found.freshness.as_of))


def _index_answer(figures: list[Figure], known: Freshness, link: str) -> IndexAnswer:
    first, last = figures[0], figures[-1]
    said = f"{first.month}: {first.value} (base {first.base_year})"
    if first.month != last.month and first.base_year == last.base_year:
        said = f"{first.month} to {last.month}, base {first.base_year}"
    return IndexAnswer(
        source=known.attribution,
        permalink=link,
        cite=f"Belgian health index, {said}. {known.attribution}. {link}",
        figures=figures,
        freshness=known,
    )


async def indexed_amount(belref: Belref, asked: AmountQuestion) -> AmountAnswer:
    receipt = await belref.get(AmountReceipt, AMOUNTS, await amount_case(belref, asked))
    link = belref.link(receipt.permalink)
    return AmountAnswer(
        **receipt.model_dump(exclude={"permalink", "attribution"}),
        source=receipt.attribution,
        permalink=link,
        cite=amount_cite(receipt, link),
    )


async def amount_case(belref: Belref, asked: AmountQuestion) -> dict[str, str | int | None]:
    """The parameters of an indexation; a day stands for its month, and without an end the latest month is meant."""
    end = asked.end or (await belref.get(Month, LATEST)).month
    return {
        "amount": asked.amount,
        "from": asked.start[:7],
        "to": end[:7],
        "base_year": asked.base_year,
        "index": asked.index,
    }


async def indexed_rent(belref: Belref, asked: RentQuestion) -> RentAnswer:
    receipt = await belref.get(RentReceipt, RENTS, asked.model_dump())
    link = belref.link(receipt.permalink)
    return RentAnswer(
        **receipt.model_dump(exclude={"permalink", "attribution"}),
        source=rent_source(receipt),
        permalink=link,
        cite=rent_cite(receipt, link),
    )


def rent_source(receipt: RentReceipt) -> str:
    """Whose figures and which law lead to a rent."""
    return f"{receipt.attribution}; law: {receipt.energy.rule}"


def rent_cite(receipt: RentReceipt, link: str) -> str:
    """One line for a rent."""
    label = "" if receipt.energy.label is None else f", energy label {receipt.energy.label}"
    return (
        f"Rent of {receipt.rent} euro ({receipt.region}, signed on {receipt.signed_on}{label}) from "
        f"{receipt.anniversary} on: {receipt.indexed_rent} euro. {receipt.attribution}. {link}"
    )


async def zipcode(belref: Belref, asked: ZipcodeQuestion) -> ZipcodeAnswer:
    path, factor, withdrawn = f"/v1/zipcodes/{asked.zipcode}", None, None
    try:
        risk = await belref.get(Risk, path)
        factor, release = risk.risk_factor, risk.release
    except RefusedError as error:
        if error.kind != "noRiskFactor":
            raise
        none = belref.read(NoRisk, error.problem)
        release, withdrawn = none.release, none.withdrawn
    place = await _place(belref, asked.zipcode)
    link = belref.link(path, release=release)
    return ZipcodeAnswer(
        source=_TABLE + ("" if place is None else f"; {place.attribution}"),
        permalink=link,
        cite=f"Zipcode {asked.zipcode}: risk factor {factor or 'none'}, release {release}. {link}",
        zipcode=int(asked.zipcode),
        risk_factor=factor,
        release=release,
        withdrawn=withdrawn,
        municipalities=[] if place is None else place.municipalities,
        region=None if place is None else place.region,
    )


async def _place(belref: Belref, number: str) -> Place | None:
    try:
        return await belref.get(Place, f"/v1/places/{number}")
    except RefusedError as error:
        if error.kind != "noPlace":
            raise
        return None


async def freshness(belref: Belref, _: FreshnessQuestion) -> FreshnessAnswer:
    known = (await belref.get(Month, LATEST)).freshness
    dates = (await belref.get(Publications, "/v1/publications")).items
    try:
        releases = (await belref.get(Releases, "/v1/releases")).items
    except NotNowError:  # where the store of tables is away, there are figures all the same
        releases = []
    active = next((each for each in releases if each.status == "active"), None)
    link = belref.link(LATEST, as_of=known.as_of)
    return FreshnessAnswer(
        source=f"{known.attribution}; {_TABLE}",
        permalink=link,
        cite=f"Belgian health index known up to {known.latest_month} ({known.status}). {known.attribution}. {link}",
        figures=known,
        missing=[each for each in dates if each.status == "overdue"],
        next=next((each for each in dates if each.status in {"due", "ahead"}), None),
        release=None if active is None else active.id,
        table=None if active is None else active.label,
        in_service_since=None if active is None else active.activated_at,
        zipcodes=None if active is None else sum(active.counts.values()),
    )


def _number(month: str) -> int:
    year, _, of_year = month.partition("-")
    return int(year) * 12 + int(of_year)
