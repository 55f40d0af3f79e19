"""Checks of the health index, of amounts and of rents: to the cent."""

import re
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from domain.health_index.figures import Month
from entrypoints.verify.checks import expect, promise, same, succeeded
from entrypoints.verify.deployment import Deployment, Reply

INDEX, RENTS = "/v1/health-index", "/v1/rent-indexations"
_CENT = Decimal("0.01")
_AMOUNT = "/v1/indexations?amount=500&from=2010-06&to=2019-08"

GOLDEN = {
    (1988, "1994-01"): "115.65",
    (1996, "1997-12"): "101.75",
    (2004, "2010-06"): "112.74",
    (2004, "2022-04"): "144.43",
    (2013, "2020-01"): "109.72",
    (2013, "2022-04"): "119.59",
    (2013, "2023-11"): "128.55",
    (2025, "2026-07"): "103.24",
}
"""Figures as Statbel published them."""

LEASES = {
    "brussels, no label": (
        "rent=500&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01&on=2020-01-01",
        "584.18",
    ),
    "brussels E, corrected": (
        "rent=550&region=brussels&signed_on=2019-09-01&starts_on=2019-11-01&on=2023-11-01&energy_label=E",
        "611.62",
    ),
    "flanders E, corrected": (
        "rent=900&region=flanders&signed_on=2019-08-15&starts_on=2019-10-01&on=2023-10-01&energy_label=E",
        "950.12",
    ),
    "wallonia D, limited": (
        "rent=600&region=wallonia&signed_on=2019-09-15&starts_on=2019-11-01&on=2022-11-01&energy_label=D",
        "684.47",
    ),
    "wallonia G, limited": (
        "rent=500&region=wallonia&signed_on=2020-09-15&starts_on=2020-11-01&on=2022-11-01&energy_label=G",
        "516.97",
    ),
    "german-speaking community D, unlimited": (
        "rent=700&region=german-speaking-community&signed_on=2020-02-15&starts_on=2020-03-01&on=2023-03-01&energy_label=D",
        "809.35",
    ),
}
"""Worked examples of each regime, with the rent that their sources print."""


@promise("golden-figures", "every base year gives the figures that Statbel published")
def golden_figures(at: Deployment) -> None:
    for (base, month), value in GOLDEN.items():
        reply = succeeded(at.get(f"{INDEX}/{month}?base_year={base}"))
        (figure,) = reply.body["figures"]
        same((figure["base_year"], figure["month"]), (base, month), reply, "the figure")
        same(figure["value"], Decimal(value), reply, "the value")


@promise("exact-decimals", "index figures and amounts are numbers with two decimals")
def exact_decimals(at: Deployment) -> None:
    for target in (
        f"{INDEX}?base_year=2013&from=2019-01&to=2023-12",
        "/v1/indexations?amount=500&from=2010-06&to=2019-08",
    ):
        reply = succeeded(at.get(target))
        numbers = re.findall(rb'"(?:value|smoothed|amount|indexed)":("?-?[0-9.]+"?)', reply.content)
        expect(numbers, reply, "no figure is in it")
        odd = [number.decode() for number in numbers if not re.fullmatch(rb"[0-9]+\.[0-9]{2}", number)]
        expect(not odd, reply, f"{odd[:1]} is no number with two decimals")


@promise("series", "a series is ascending, without a gap, and the same as CSV")
def series(at: Deployment) -> None:
    target = f"{INDEX}?base_year=2013&from=2020-01&to=2022-12"
    reply, table = succeeded(at.get(target)), succeeded(at.get(target, Accept="text/csv"))
    items = reply.body["items"]
    months = [Month.parse(item["month"]) for item in items]
    expect(all(before.plus(1) == after for before, after in pairwise(months)), reply, "a month is missing or moved")
    same((len(items), reply.body["total"]), (36, 36), reply, "the number of months")
    rows = [line.split(",") for line in table.content.decode().splitlines()[1:]]
    same([(row[0], Decimal(row[1])) for row in rows], [(i["month"], i["value"]) for i in items], table, "the CSV")


@promise("latest", "the latest figures are those of their month, and of the brief's /index")
def latest(at: Deployment) -> None:
    reply = succeeded(at.get(f"{INDEX}/latest"))
    for figure in reply.body["figures"]:
        base = figure["base_year"]
        old = succeeded(at.get(f"/index?year={base}"))
        same((old.body["index"], old.body["month"]), (figure["value"], figure["month"]), old, "the latest figure")
    bases = [figure["base_year"] for figure in reply.body["figures"]]
    same(bases, sorted(bases, reverse=True), reply, "the order of base years")


@promise("change", "the change on the year follows from the figures, half up")
def change(at: Deployment) -> None:
    reply, before = (succeeded(at.get(f"{INDEX}/{month}?base_year=2013")) for month in ("2025-11", "2024-11"))
    (figure,), (earlier,) = reply.body["figures"], before.body["figures"]
    percent = ((figure["value"] / earlier["value"] - 1) * 100).quantize(_CENT, ROUND_HALF_UP)
    same(figure["change"]["year"], percent, reply, "the change on the year")


@promise("freshness", "every answer about figures says the same of their freshness")
def freshness(at: Deployment) -> None:
    replies = [succeeded(at.get(INDEX + rest)) for rest in ("/latest", "/2022-04", "?base_year=2013&from=2022-04")]
    first = replies[0].body["freshness"]
    for reply in replies[1:]:
        same(reply.body["freshness"], first, reply, "the freshness")
    expect(first["status"] in {"fresh", "due", "overdue"}, replies[0], f"status {first['status']}")


@promise("receipt", "an indexed amount recomputes from its own receipt, and its permalink gives the same bytes")
def receipt(at: Deployment) -> None:
    reply = succeeded(at.get(_AMOUNT))
    body = reply.body
    indexed = (body["amount"] * body["end"]["value"] / body["start"]["value"]).quantize(_CENT, ROUND_HALF_UP)
    same(body["indexed"], indexed, reply, "the indexed amount")
    same(body["indexed"], Decimal("584.18"), reply, "the indexed amount")
    _same_bytes(at, reply)


@promise("rents", "a rent under every regime is what its source prints")
def rents(at: Deployment) -> None:
    for query, rent in LEASES.values():
        reply = succeeded(at.get(f"{RENTS}?{query}"))
        same(reply.body["indexed_rent"], Decimal(rent), reply, "the indexed rent")
    _same_bytes(at, reply)


@promise("schedule", "the schedule of a lease agrees with each of its anniversaries")
def schedule(at: Deployment) -> None:
    query = "rent=900&region=flanders&signed_on=2019-08-15&starts_on=2019-10-01&energy_label=E"
    reply = succeeded(at.get(f"{RENTS}/schedule?{query}&until=2024-12-31"))
    items = reply.body["items"]
    same([item["anniversary"] for item in items], [f"{year}-10-01" for year in range(2020, 2025)], reply, "the list")
    for item in items:
        single = succeeded(at.get(f"{RENTS}?{query}&on={item['anniversary']}"))
        same(single.body["indexed_rent"], item["indexed_rent"], single, "the indexed rent")


@promise("claims", "a figure of another base year is named for what it is")
def claims(at: Deployment) -> None:
    reply = succeeded(at.get(f"{INDEX}/2022-04/check?value=144.43&base_year=2013"))
    same(reply.body["verdict"], "otherBaseYear", reply, "the verdict")
    same(reply.body["is"]["base_year"], 2004, reply, "the base year")


@promise("as-of", "what was known at an instant is answered as it was then")
def as_of(at: Deployment) -> None:
    reply = succeeded(at.get(f"{INDEX}/latest?base_year=2013&as_of=2022-04-30"))
    same(reply.body["month"], "2022-04", reply, "the latest month then")


@promise("publications", "the calendar of publications is JSON, and iCalendar where that is asked for")
def publications(at: Deployment) -> None:
    reply = succeeded(at.get("/v1/publications"))
    months = [item["month"] for item in reply.body["items"]]
    expect(months == sorted(months) and len(months) > 12, reply, "the months are not in order, or too few")
    feed = succeeded(at.get("/v1/publications", Accept="text/calendar"))
    expect(feed.content.startswith(b"BEGIN:VCALENDAR"), feed, "it is no iCalendar")


def _same_bytes(at: Deployment, reply: Reply) -> None:
    link = reply.body["permalink"]
    again = succeeded(at.get(link))
    expect(again.content == reply.content, again, "the permalink gives other bytes")


PROMISES = (
    golden_figures,
    exact_decimals,
    series,
    latest,
    change,
    freshness,
    receipt,
    rents,
    schedule,
    claims,
    as_of,
    publications,
)
