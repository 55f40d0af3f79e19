"""The sixth tool: whether a figure that somebody claims is right, and what leads to it where it is wrong.

The usual slips are tried by asking belref the neighbouring questions, all in one batch.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from entrypoints.mcp.answers import ClaimAnswer, amount_cite
from entrypoints.mcp.api import Belref, Question
from entrypoints.mcp.arguments import AmountQuestion, ClaimQuestion, IndexClaim, RentQuestion
from entrypoints.mcp.bodies import AmountReceipt, BaseYears, Check, Month, RentReceipt
from entrypoints.mcp.questions import AMOUNTS, INDEX, RENTS, UnfitError, amount_case, rent_cite, rent_source

_CENT = Decimal("0.01")
_LABELS = ("A", "B", "C", "D", "E", "F", "G", "none")
_REGIONS = ("brussels", "flanders", "wallonia", "german-speaking-community")
_UNEXPLAINED = (
    "None of the usual slips leads to {}: another base year, month, index, label or region, a day of signature taken "
    "for that of entry into force, or another rounding. The calculation of whoever claims it would show more."
)
Slip = tuple[str, str | int, Question]
"""A way to go wrong in words, what stands in them for a blank, and the question that goes this way."""


async def check_figure(belref: Belref, asked: ClaimQuestion) -> ClaimAnswer:
    given = [each for each in (asked.index, asked.amount, asked.rent) if each is not None]
    if len(given) != 1:
        raise UnfitError(
            f"Give exactly one of index, amount and rent, for what {asked.claimed} is: {len(given)} of them were given"
        )
    claimed = Decimal(asked.claimed).quantize(_CENT)
    if isinstance(given[0], IndexClaim):
        return await _index(belref, claimed, given[0])
    if isinstance(given[0], AmountQuestion):
        return await _amount(belref, claimed, given[0])
    return await _rent(belref, claimed, given[0])


async def _index(belref: Belref, claimed: Decimal, asked: IndexClaim) -> ClaimAnswer:
    found = await belref.get(
        Check,
        f"{INDEX}/{asked.month}/check",
        {"value": str(claimed), "base_year": asked.base_year, "index": asked.index},
    )
    true = found.figure
    known = await belref.get(Month, f"{INDEX}/{asked.month}", {"base_year": true.base_year})
    link = belref.link(f"{INDEX}/{asked.month}", base_year=true.base_year, as_of=known.freshness.as_of)
    kind = "smoothed health index" if true.index == "smoothed" else "health index"
    what = f"the {kind} of {true.month} in base {true.base_year}"
    return _answer(
        what,
        claimed,
        Decimal(true.value),
        [] if found.verdict == "match" else [found.detail],
        source=found.attribution,
        permalink=link,
        cite=f"{what[0].upper()}{what[1:]}: {true.value}. {found.attribution}. {link}",
    )


async def _amount(belref: Belref, claimed: Decimal, asked: AmountQuestion) -> ClaimAnswer:
    case = await amount_case(belref, asked)
    receipt = await belref.get(AmountReceipt, AMOUNTS, case)
    correct, link = Decimal(receipt.indexed), belref.link(receipt.permalink)
    why: list[str] = []
    if claimed != correct:
        why = [
            *_roundings(claimed, receipt),
            *await _found(belref, AMOUNTS, "indexed", claimed, await _amount_slips(belref, receipt)),
        ]
    return _answer(
        f"{receipt.amount} euro of {receipt.start.month} indexed to {receipt.end.month}",
        claimed,
        correct,
        why,
        source=receipt.attribution,
        permalink=link,
        cite=amount_cite(receipt, link),
    )


async def _rent(belref: Belref, claimed: Decimal, asked: RentQuestion) -> ClaimAnswer:
    receipt = await belref.get(RentReceipt, RENTS, asked.model_dump())
    correct, link = Decimal(receipt.indexed_rent), belref.link(receipt.permalink)
    why: list[str] = []
    if claimed != correct:
        if claimed == Decimal(receipt.ordinary_rent):
            why.append("It is what the index alone would give, without the law on energy certificates.")
        if claimed == Decimal(receipt.rent):
            why.append("It is the base rent, not indexed.")
        why += await _found(belref, RENTS, "indexed_rent", claimed, _rent_slips(asked, receipt))
        if claimed != Decimal(receipt.ordinary_rent):
            why += await _ordinary_slips(belref, claimed, receipt)
    return _answer(
        f"the rent that the lease of {receipt.signed_on} may ask from {receipt.anniversary} on",
        claimed,
        correct,
        why,
        source=rent_source(receipt),
        permalink=link,
        cite=rent_cite(receipt, link),
    )


async def _ordinary_slips(belref: Belref, claimed: Decimal, receipt: RentReceipt) -> list[str]:
    """Slips of the index alone, where a rent is claimed."""
    case: Question = {
        "amount": receipt.rent,
        "from": receipt.start.month,
        "to": receipt.end.month,
        "base_year": receipt.base_year,
    }
    ordinary = await belref.get(AmountReceipt, AMOUNTS, case)
    slips = await _amount_slips(belref, ordinary)
    return [*_roundings(claimed, ordinary), *await _found(belref, AMOUNTS, "indexed", claimed, slips)]


def _answer(what: str, claimed: Decimal, correct: Decimal, why: list[str], **cited: str) -> ClaimAnswer:
    right = claimed == correct
    if not right and not why:
        why = [_UNEXPLAINED.format(claimed)]
    return ClaimAnswer(
        right=right,
        what=what,
        claimed=str(claimed),
        correct=str(correct),
        difference=str(claimed - correct),
        why=why,
        **cited,
    )


async def _found(belref: Belref, path: str, field: str, claimed: Decimal, slips: Sequence[Slip]) -> list[str]:
    """The slips that lead to the claimed figure."""
    outcomes = await belref.post(path, [question for *_, question in slips])
    found: dict[str, list[str]] = {}
    for (how, what, _), outcome in zip(slips, outcomes, strict=True):
        if outcome.result is not None and outcome.result.get(field) == str(claimed):
            found.setdefault(how, []).append(str(what))
    return [f"It is what comes out {how.format(' or '.join(what))}." for how, what in found.items()]


async def _amount_slips(belref: Belref, receipt: AmountReceipt) -> list[Slip]:
    start, end = receipt.start.month, receipt.end.month
    case: dict[str, str | int | None] = {
        "amount": receipt.amount,
        "from": start,
        "to": end,
        "base_year": receipt.base_year,
        "index": receipt.index,
    }
    other = "health" if receipt.index == "smoothed" else "smoothed"
    years = [each.base_year for each in (await belref.get(BaseYears, f"{INDEX}/base-years")).items]
    return [
        *(("in base year {}", year, case | {"base_year": year}) for year in years if year != receipt.base_year),
        ("by the {} index", other, case | {"index": other}),
        *(("with {} as the starting month", each, case | {"from": each}) for each in _neighbours(start)),
        *(("with {} as the month of the new index", each, case | {"to": each}) for each in _neighbours(end)),
    ]


def _rent_slips(asked: RentQuestion, receipt: RentReceipt) -> list[Slip]:
    lease: dict[str, Any] = asked.model_dump(exclude={"zipcode", "on"})
    lease |= {"region": receipt.region, "on": receipt.anniversary}
    signed, starts = receipt.signed_on, receipt.starts_on
    year, day = int(receipt.anniversary[:4]), receipt.anniversary[4:]
    given = (asked.energy_label or "").rstrip("+")
    return [
        *(("with energy label {}", label, lease | {"energy_label": label}) for label in _LABELS if label != given),
        *(("by the law of {}", region, lease | {"region": region}) for region in _REGIONS if region != receipt.region),
        *(("on the anniversary of {}", each, lease | {"on": f"{each}{day}"}) for each in (year - 1, year + 1)),
        ("with {}, the day of the signature, as that of the entry into force", signed, lease | {"starts_on": signed}),
        ("with {}, the day of the entry into force, as that of the signature", starts, lease | {"signed_on": starts}),
    ]


def _roundings(claimed: Decimal, receipt: AmountReceipt) -> Iterator[str]:
    """Other ways to round that lead to the claimed figure; they say so of what an index alone gives."""
    amount, start, end = (Decimal(text) for text in (receipt.amount, receipt.start.value, receipt.end.value))
    exact = amount * end / start
    if claimed == exact.quantize(_CENT, ROUND_DOWN):
        yield f"It is cut off at the cent; {receipt.rounding}."
    elif claimed == exact.quantize(_CENT, ROUND_UP):
        yield f"It is rounded up to the cent; {receipt.rounding}."
    if claimed == exact.quantize(Decimal(1), ROUND_HALF_UP):
        yield f"It is rounded to the euro; {receipt.rounding}."
    for places in (2, 3, 4):
        ratio = (end / start).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        if claimed == (amount * ratio).quantize(_CENT, ROUND_HALF_UP):
            yield f"It is the amount times the ratio rounded to {ratio}; right is: {receipt.rounding}."


def _neighbours(month: str) -> list[str]:
    year, of_year = int(month[:4]), int(month[5:])
    before = f"{year - 1}-12" if of_year == 1 else f"{year}-{of_year - 1:02}"
    after = f"{year + 1}-01" if of_year == 12 else f"{year}-{of_year + 1:02}"
    return [before, after]
