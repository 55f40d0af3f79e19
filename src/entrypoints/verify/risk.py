"""Checks of zipcodes, of their lists and of releases."""

from base64 import b64encode
from hashlib import sha256
from itertools import pairwise
from typing import Any

from entrypoints.verify.checks import expect, promise, same, succeeded
from entrypoints.verify.deployment import Deployment

_A_FEW = 3

REGIONS = {1040: "brussels", 9000: "flanders", 5000: "wallonia", 4700: "german-speaking-community"}


@promise("zipcodes", "a zipcode has the factor that the whole table gives it, on every route")
def zipcodes(at: Deployment) -> None:
    table = succeeded(at.get("/v1/risk-ranges"))
    for item in table.body["items"][:_A_FEW]:
        zipcode, factor = item["first"], item["risk_factor"]
        reply = succeeded(at.get(f"/v1/zipcodes/{zipcode}"))
        same(reply.body, {"zipcode": zipcode, "risk_factor": factor, "release": table.body["release"]}, reply, "it")
        for route in ("/zipcodes", "/databases/zipcodes"):
            old = succeeded(at.get(f"{route}/{zipcode}"))
            same(old.body, {"zipcode": zipcode, "risk_factor": factor, "exists": True}, old, "it")
            expect(
                old.header("Deprecation") and "successor-version" in old.header("Link"), old, "no successor is named"
            )


@promise("paging", "pages follow each other in one release and make up the whole list")
def paging(at: Deployment) -> None:
    whole = succeeded(at.get("/v1/zipcodes?risk_factor=C"))
    items: list[dict[str, Any]] = []
    target, pages = "/v1/zipcodes?risk_factor=C&page_size=400", 0
    while target and pages <= 9000 // 400 + 1:
        reply = succeeded(at.get(target))
        same(reply.body["release"], whole.body["release"], reply, "the release")
        items, target, pages = [*items, *reply.body["items"]], reply.body.get("next", ""), pages + 1
    expect(items == whole.body["items"], whole, "the pages are not the list")
    same(len(items), whole.body["total"], whole, "the total")
    numbers = [item["zipcode"] for item in items]
    expect(all(before < after for before, after in pairwise(numbers)), whole, "the zipcodes are not ascending")


@promise("bulk", "a bulk answer has one outcome for each case, in the order of the cases")
def bulk(at: Deployment) -> None:
    known = [item["first"] for item in succeeded(at.get("/v1/risk-ranges")).body["items"][:_A_FEW]]
    reply = succeeded(at.post("/v1/zipcodes/lookup", {"zipcodes": [*known[1:], 12, *map(str, known)]}))
    outcomes = [item["result"]["zipcode"] if "result" in item else "problem" for item in reply.body["items"]]
    same(outcomes, [*known[1:], "problem", *known], reply, "the order")
    cases = [{"amount": amount, "from": "2010-06", "to": "2019-08"} for amount in ("500", "no", "1000")]
    sums = succeeded(at.post("/v1/indexations", {"items": cases}))
    found = [str(item["result"]["indexed"]) if "result" in item else "problem" for item in sums.body["items"]]
    same(found, ["584.18", "problem", "1168.35"], sums, "the outcomes")


@promise("digests", "the whole table carries the digest of what it says, and of its bytes")
def digests(at: Deployment) -> None:
    reply = succeeded(at.get("/v1/risk-ranges", Accept_Encoding="identity"))
    codes = bytearray(10_000)
    for item in reply.body["items"]:
        codes[item["first"] : item["last"] + 1] = item["risk_factor"].encode() * (item["last"] - item["first"] + 1)
    same(reply.body["sha256"], sha256(codes).hexdigest(), reply, "the digest of the table")
    digest = f"sha-256=:{b64encode(sha256(reply.content).digest()).decode()}:"
    same(reply.header("Repr-Digest"), digest, reply, "Repr-Digest")


@promise("releases", "what answers is the release in service; it is asked for by its id, and as it was when it began")
def releases(at: Deployment) -> None:
    listed = succeeded(at.get("/v1/releases"))
    (active,) = [item for item in listed.body["items"] if item["status"] == "active"]
    reply = succeeded(at.get("/v1/risk-ranges"))
    same(reply.body["release"], active["id"], reply, "the release")
    same(reply.header("X-Release"), active["id"], reply, "X-Release")
    same(reply.body["sha256"], active["table_sha256"], reply, "the table")
    for query in (f"release={active['id']}", f"as_of={active['activated_at']}"):
        then = succeeded(at.get(f"/v1/risk-ranges?{query}"))
        same(then.body, reply.body, then, "the table")


@promise("places", "a zipcode names its municipalities and its region")
def places(at: Deployment) -> None:
    for zipcode, region in REGIONS.items():
        reply = succeeded(at.get(f"/v1/places/{zipcode}"))
        same(reply.body["region"], region, reply, "the region")


PROMISES = (
    zipcodes,
    paging,
    bulk,
    digests,
    releases,
    places,
)
