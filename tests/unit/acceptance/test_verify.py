"""`belref verify` finds what a deployment breaks, and names it; a proxy breaks one thing at a time."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from tests.worlds import NOW, make_app

from entrypoints.cli.verify import verify
from entrypoints.verify import against
from entrypoints.verify.checks import Outcome, run
from entrypoints.verify.deployment import Deployment, UnreachableError
from entrypoints.verify.promises import PROMISES

ADDRESS = "http://belref.test"


@dataclass
class Reply:
    """An answer on its way through the proxy, whose parts may be changed."""

    target: str
    status: int
    headers: dict[str, str]
    body: bytes
    method: str = "GET"
    is_gzip: bool = False

    @property
    def is_data(self) -> bool:
        return self.status == 200 and self.target.startswith("/v1")

    def replace(self, pattern: bytes, by: bytes) -> None:
        self.body = re.sub(pattern, by, self.body)

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        if self.headers.get("content-type", "").startswith("application/json"):
            body = json.loads(self.body)
            change(body)
            self.body = json.dumps(body).encode()


Fault = Callable[[Reply], object]


@dataclass
class Proxy(httpx2.BaseTransport):
    """The application in this process, behind a proxy that may do harm."""

    fault: Fault = lambda _: None
    inner: httpx2.ASGITransport = field(default_factory=lambda: httpx2.ASGITransport(make_app(now=NOW)))  # type: ignore[arg-type]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.loop.run_until_complete(self._pass(request))

    async def _pass(self, request: httpx2.Request) -> httpx2.Response:
        sent = httpx2.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self.inner.handle_async_request(sent)
        body = await answer.aread()  # unpacked, so that it can be changed
        target = request.url.raw_path.decode()
        headers = dict(answer.headers)
        is_gzip = headers.pop("content-encoding", "") == "gzip"
        reply = Reply(target, answer.status_code, headers, body, request.method, is_gzip)
        self.fault(reply)
        reply.headers.pop("content-length", None)
        if is_gzip:
            reply.headers["content-encoding"] = "gzip"
        content = gzip.compress(reply.body) if is_gzip else reply.body
        return httpx2.Response(reply.status, headers=reply.headers, content=content)

    def close(self) -> None:
        self.loop.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    found = Proxy()
    yield found
    found.close()


def failing(proxy: Proxy, *names: str) -> set[str]:
    """Which of these checks fail."""
    results = run([PROMISES[name] for name in names], Deployment(ADDRESS, transport=proxy))
    return {result.name for result in results if result.outcome is Outcome.FAILED}


def on(start: str, change: Fault) -> Fault:
    """A fault of targets that begin so."""
    return lambda reply: change(reply) if reply.target.startswith(start) else None


def without(*names: str) -> Fault:
    """A fault that loses headers of data."""

    def lose(reply: Reply) -> None:
        for name in names if reply.is_data else ():
            reply.headers.pop(name, None)

    return lose


def with_header(name: str, value: str, when: Callable[[Reply], bool] = lambda _: True) -> Fault:
    """A fault that sends another header."""
    return lambda reply: reply.headers.update({name: value}) if when(reply) else None


def becomes(pattern: bytes, by: bytes) -> Fault:
    """A fault that rewrites a body."""
    return lambda reply: reply.replace(pattern, by)


def edits(change: Callable[[dict[str, Any]], object]) -> Fault:
    """A fault that changes a JSON body."""
    return lambda reply: reply.edit(change)


def answers_anew(reply: Reply) -> None:
    """If-None-Match is not understood."""
    if reply.status == 304:
        reply.status, reply.body = 200, b"{}"


def forgives(reply: Reply) -> None:
    """An unknown parameter is ignored in silence."""
    if "zip=1" in reply.target:
        reply.status, reply.body = 200, b'{"zipcode":9000,"risk_factor":"B"}'


def is_error(reply: Reply) -> bool:
    return reply.status >= 400


FAULTS: dict[str, tuple[Fault, str]] = {
    "drops the ETag": (without("etag"), "etag"),
    "does not know If-None-Match": (answers_anew, "not-modified"),
    "refuses HEAD": (lambda r: setattr(r, "status", 405) if r.method == "HEAD" else None, "head"),
    "reorders a bulk answer": (on("/v1/zipcodes/lookup", edits(lambda b: b["items"].reverse())), "bulk"),
    "loses a case of a bulk answer": (on("/v1/indexations", edits(lambda b: b.get("items", [0]).pop())), "bulk"),
    "rounds a decimal": (becomes(rb'"value":([0-9]+\.[0-9])[0-9]', rb'"value":\1'), "exact-decimals"),
    "sends decimals as text": (becomes(rb'"value":([0-9.]+)', rb'"value":"\1"'), "exact-decimals"),
    "forgets CORS on errors": (
        lambda r: r.headers.pop("access-control-allow-origin", None) if is_error(r) else None,
        "cors",
    ),
    "serves an old release": (
        on("/v1/risk-ranges", edits(lambda b: b.update(release="0000-00000000"))),
        "releases",
    ),
    "names a wrong type of problem": (becomes(rb"belref:invalidZipcode", rb"belgif:badRequest"), "problems"),
    "lets errors be kept": (with_header("cache-control", "public, max-age=60", is_error), "no-store"),
    "forgets Vary": (without("vary"), "vary"),
    "promises a year": (with_header("cache-control", "public, max-age=31536000", lambda r: r.is_data), "lifetime"),
    "ignores an unknown parameter": (forgives, "problems"),
    "turns a series round": (on("/v1/health-index?", edits(lambda b: b["items"].reverse())), "series"),
    "skips a month": (on("/v1/health-index?", edits(lambda b: b["items"].pop(3))), "series"),
    "gives other figures as CSV": (
        lambda r: r.replace(rb"2020-03,[0-9.]+", b"2020-03,100.00") if "csv" in r.headers["content-type"] else None,
        "series",
    ),
    "gives a wrong figure": (becomes(rb'"value":119\.59', b'"value":119.60'), "golden-figures"),
    "is a cent off": (becomes(rb'"indexed_rent":684\.47', b'"indexed_rent":684.48'), "rents"),
    "disagrees with its schedule": (
        on("/v1/rent-indexations/schedule", becomes(rb'"indexed_rent":950\.12', b'"indexed_rent":950.13')),
        "schedule",
    ),
    "changes what a permalink gives": (on("/v1/indexations?amount=500.00", becomes(rb"}$", b" }")), "receipt"),
    "says two things of its freshness": (
        on("/v1/health-index/latest", edits(lambda b: b["freshness"].update(source="elsewhere"))),
        "freshness",
    ),
    "names a claim wrongly": (becomes(rb'"otherBaseYear"', b'"match"'), "claims"),
    "computes a change wrongly": (becomes(rb'"year":2\.45', b'"year":2.44'), "change"),
    "ignores as_of": (lambda r: r.replace(b"2022-04", b"2026-08") if "as_of=2022" in r.target else None, "as-of"),
    "is behind on the brief's route": (on("/index", becomes(rb'"month":"[0-9-]+"', b'"month":"2024-10"')), "latest"),
    "mixes up its calendar": (on("/v1/publications", edits(lambda b: b["items"].reverse())), "publications"),
    "knows other factors on an old route": (on("/databases", becomes(rb'"[ABC]"', b'"X"')), "zipcodes"),
    "ends a list early": (on("/v1/zipcodes?", edits(lambda b: b.pop("next", None))), "paging"),
    "sends the digest of other bytes": (with_header("repr-digest", "sha-256=:AAAA:"), "digests"),
    "moves a place": (on("/v1/places/4700", becomes(rb'"german-speaking-community"', b'"wallonia"')), "places"),
    "compresses another body": (
        lambda r: r.replace(rb"109\.72", b"109.73") if r.is_gzip else None,
        "compression",
    ),
    "replaces the id of a request": (with_header("x-request-id", "0" * 36, lambda r: r.is_data), "request-id"),
    "is down": (on("/health", lambda r: setattr(r, "status", 503)), "health"),
    "counts by zipcode": (on("/metrics", becomes(rb"\{zipcode\}", b"9000")), "metrics"),
    "describes itself wrongly": (on("/schema", becomes(rb'"openapi":"[^"]+",', b"")), "description"),
    "lets a page run anything": (with_header("content-security-policy", "default-src * 'unsafe-inline'"), "page"),
}


def test_a_deployment_that_keeps_its_promises_passes_every_check(proxy: Proxy) -> None:
    results = list(run(PROMISES.values(), Deployment(ADDRESS, transport=proxy)))
    assert [(each.name, each.detail) for each in results if each.outcome is not Outcome.OK] == []
    assert len(results) == len(PROMISES) > 30


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_named(proxy: Proxy, fault: str) -> None:
    proxy.fault, name = FAULTS[fault]
    assert failing(proxy, name) == {name}


def test_every_check_is_shown_to_find_something() -> None:
    assert {name for _, name in FAULTS.values()} == set(PROMISES)


def test_two_deployments_that_say_the_same_do_not_differ_and_others_are_told_apart(proxy: Proxy) -> None:
    other = Proxy(FAULTS["gives a wrong figure"][0])
    one, two = Deployment(ADDRESS, transport=proxy), Deployment(ADDRESS, transport=other)
    differing = [each.name for each in against.compare(one, two) if each.outcome is Outcome.FAILED]
    assert "/v1/health-index/2022-04?base_year=2013" in differing
    assert "/v1/zipcodes/9000" not in differing
    assert [each.detail for each in against.compare(one, one) if each.detail] == []
    other.close()


def test_an_answer_that_is_no_json_breaks_a_promise_and_not_the_command(proxy: Proxy) -> None:
    proxy.fault = lambda reply: reply.replace(rb"^.*$", b"<html>")
    assert {"golden-figures", "zipcodes", "problems"} <= failing(proxy, "golden-figures", "zipcodes", "problems")


def test_nobody_who_answers_ends_with_its_own_code() -> None:
    def refuse(_: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("connection refused")

    with pytest.raises(UnreachableError, match="does not answer: connection refused"):
        list(run(PROMISES.values(), Deployment(ADDRESS, transport=httpx2.MockTransport(refuse))))


def test_an_address_that_is_none_is_not_understood() -> None:
    found = CliRunner().invoke(verify, ["localhost:5000"])
    assert found.exit_code == 2
    assert "no address of http or https" in found.output
