"""`/v1/zipcodes/lookup`: the risk factors of many zipcodes at once."""

from functools import lru_cache
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.params import RawBody

from domain.risk.tables import InvalidZipcode, Zipcode, parse_zipcode
from domain.use_cases.zipcodes import RiskService, RiskView
from entrypoints.http import parameters as p
from entrypoints.http import reading as r
from entrypoints.http.batches import BATCH_PROBLEMS, LARGEST_BATCH, Outcome, read_batch
from entrypoints.http.openapi.responses import documented
from entrypoints.http.problems import (
    INVALID_ZIPCODE,
    UNAVAILABLE,
    UNKNOWN_RELEASE,
    Issue,
    Problem,
    echo,
    problem,
    problem_of,
)
from entrypoints.http.representation import without_caching
from entrypoints.http.risk.zipcodes import ZipcodeItem
from entrypoints.http.scope import request_id

_LARGEST_BODY = 64 * 1024  # a thousand zipcodes, each on an indented line of its own, take a third of it
_LONGEST_ZIPCODE = len(r'"\u0031\u0030\u0030\u0030"')
_LONGEST_IN_WORDS = 32


class Lookups(msgspec.Struct, frozen=True):
    """As many as there were zipcodes, in their order, all from one release."""

    items: list[Outcome[ZipcodeItem]]
    total: int
    release: str


class LookupBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 zipcodes; each is read by itself."""

    zipcodes: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=LARGEST_BATCH)]


@post(
    "/",
    summary="The risk factors of up to 1,000 zipcodes at once: each a result or a problem, in order",
    description="All from one release, which the answer names. A zipcode is a number or a string of four digits.",
    operation_id="lookUpZipcodes",
    status_code=200,
    responses=documented(*BATCH_PROBLEMS, UNKNOWN_RELEASE, UNAVAILABLE),
    request_max_body_size=_LARGEST_BODY,
)
async def look_up_zipcodes(
    request: Request[Any, Any, Any],
    risks: NamedDependency[RiskService],
    body: RawBody,
    as_of: p.AsOfQuery = None,
    release: p.ReleaseQuery = None,
) -> Response[Lookups]:
    batch = read_batch(request, body, _read_batch, "zipcodes")
    at = r.read_at(as_of, release)
    with r.reading_at(at):
        view = await risks.view(at)
    instance = f"urn:uuid:{request_id(request.scope)}"
    items = [_outcome(view, bytes(raw), place, instance) for place, raw in enumerate(batch.zipcodes)]
    return without_caching(Lookups(items, len(items), view.release.id), view.release.id)


_read_batch = msgspec.json.Decoder(LookupBatch)
_read_text = msgspec.json.Decoder(str)


def _outcome(view: RiskView, raw: bytes, place: int, instance: str) -> Outcome[ZipcodeItem]:
    zipcode = _zipcode(raw) if len(raw) <= _LONGEST_ZIPCODE else None
    if zipcode is None:
        return Outcome(problem=_refusal(_said(raw), place, instance))
    factor = view.table.factor(zipcode)
    if factor is None:
        return Outcome(problem=problem_of(view.refusal(zipcode), instance))
    return Outcome(result=ZipcodeItem(zipcode, factor))


def _refusal(text: str, place: int, instance: str) -> Problem:
    detail = str(InvalidZipcode(text[:_LONGEST_IN_WORDS]))
    return problem(INVALID_ZIPCODE, detail, instance, [Issue("body", f"zipcodes[{place}]", detail, echo(text))])


@lru_cache(maxsize=20_000)  # every zipcode as a number and as a string, and some of what is neither
def _zipcode(raw: bytes) -> Zipcode | None:
    try:
        return parse_zipcode(_said(raw))
    except InvalidZipcode:
        return None


def _said(raw: bytes) -> str:
    """What stands in a JSON string, and of anything else how it is written: a number is one with digits alone."""
    text = raw.decode("utf-8", "replace")
    if not text.startswith('"'):
        return text
    return _read_text.decode(text) if "\\" in text else text[1:-1]


router = Router("/v1/zipcodes/lookup", route_handlers=[look_up_zipcodes], tags=["zipcodes"])
