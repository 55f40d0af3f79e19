"""Cases of indexation as clients write them, and the receipts that they get."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import msgspec

from domain.health_index.figures import Figure, Month, Provenance
from domain.health_index.indexation import (
    Indexation,
    IndexKind,
    check_amount,
    index_amount,
    index_of,
    parse_amount,
    provenance_of,
)
from domain.use_cases.health_index import IndexView
from entrypoints.http import reading as r
from entrypoints.http.health_index.bodies import ATTRIBUTION

_SAFE = re.compile(r"[0-9A-Za-z._:~-]*", re.ASCII)


class IndexationCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """One amount; the fields are those of the query."""

    amount: msgspec.Raw
    start: str
    end: str
    base_year: int | None = None
    index: IndexKind = IndexKind.HEALTH


class IndexUsed(msgspec.Struct, frozen=True):
    """One of the two figures of the fraction, in index points."""

    month: str
    base_year: int
    value: Decimal
    provenance: Provenance


class IndexationBody(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt: enough to do the calculation again. The permalink gives the same bytes as long as figures are kept."""

    amount: Decimal
    indexed: Decimal
    index: IndexKind
    base_year: int
    base_year_rule: str
    start: IndexUsed
    end: IndexUsed
    ratio: Decimal
    formula: str
    rounding: str
    as_of: datetime
    permalink: str
    settled: bool
    attribution: str = ATTRIBUTION


def raw_amount(amount: str | None) -> msgspec.Raw:
    """An amount that came as text, in the form in which a case holds it."""
    return msgspec.Raw(msgspec.json.encode(amount))


def read_amount(location: r.Location, name: str, raw: msgspec.Raw) -> Decimal:
    """An amount of euro, exactly as it is written: a JSON number, or a string in the notation of the query.

    Python's own reading of strings is not asked: it takes blanks, underscores and the digits of every script.
    """
    written = bytes(raw)
    if written.startswith(b'"'):
        return r.read(parse_amount, name, msgspec.json.decode(written, type=str), location)
    with r.reading(name, written.decode(), location):
        return check_amount(msgspec.json.decode(written, type=Decimal))


def indexation_receipt(
    view: IndexView, known_at: datetime, case: IndexationCase, location: r.Location
) -> IndexationBody:
    amount = read_amount(location, "amount", case.amount)
    first, last = r.read(Month.parse, "from", case.start, location), r.read(Month.parse, "to", case.end, location)
    done = index_amount(view.figure, amount, first, last, base_year=case.base_year, kind=case.index)
    return IndexationBody(
        amount=done.amount,
        indexed=done.indexed,
        index=done.kind,
        base_year=done.base_year,
        base_year_rule=done.base_year_rule,
        **fraction(done),
        as_of=known_at,
        settled=view.settled,
        permalink=permalink(
            "/v1/indexations",
            known_at,
            amount=done.amount,
            **{"from": first, "to": last},
            base_year=done.base_year,
            index=done.kind,
        ),
    )


def index_used(figure: Figure, kind: IndexKind = IndexKind.HEALTH) -> IndexUsed:
    """A figure as a receipt names it."""
    return IndexUsed(str(figure.month), figure.base_year, index_of(figure, kind), provenance_of(figure, kind))


def fraction(done: Indexation) -> dict[str, Any]:
    """What every receipt says of its calculation."""
    return {
        "start": index_used(done.start, done.kind),
        "end": index_used(done.end, done.kind),
        "ratio": done.ratio,
        "formula": done.formula,
        "rounding": done.rounding,
    }


def permalink(path: str, known_at: datetime, **query: object) -> str:
    """A question that is answered by the same bytes as long as figures are kept."""
    instant = known_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    values = list(map(str, query.values()))
    if not _SAFE.fullmatch("".join(values)):  # they nearly always are, and escaping takes ten times as long
        values = [quote_plus(value, safe=":") for value in values]
    return f"{path}?{'&'.join(map('='.join, zip(query, values, strict=True)))}&as_of={instant}"
