"""No header of a client can make the framework fail, on any route; a Host that is none is refused on each."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import Application
from tests.worlds.asgi import ask

ROUTES = [
    "/",
    "/index",
    "/index?year=x",
    "/zipcodes/9000",
    "/databases/zipcodes/9000",
    "/databases/zipcodes?risk_factor=A",
    "/databases/zipcodes",
    "/v1/zipcodes/9000",
    "/v1/zipcodes/9000?as_of=2026-09-05",
    "/v1/zipcodes?page_size=1",
    "/v1/zipcodes/lookup",
    "/v1/risk-ranges",
    "/v1/releases?page_size=1",
    "/v1/releases/0001-168866b8",
    "/v1/releases/0001-168866b8/diff",
    "/v1/health-index/latest",
    "/v1/health-index/2020-01",
    "/v1/health-index?base_year=2013&from=2020-01",
    "/v1/health-index",
    "/v1/health-index/base-years",
    "/v1/indexations?amount=500&from=2010-06&to=2019-08",
    "/v1/indexations",
    "/v1/rent-indexations?rent=500&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01&on=2020-01-01",
    "/v1/rent-indexations?region=brussels",
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/schema",
    "/schema/openapi.json",
    "/schema/nothing",
    "/nothing",
]
NAMES = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Date",
    "Expect",
    "Forwarded",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Origin",
    "Pragma",
    "Range",
    "Referer",
    "TE",
    "Traceparent",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Request-ID",
]
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40),
    st.sampled_from(
        [
            "x:99999",
            "[::1",
            "[1:2]",
            "[",
            ":",
            "a:b",
            "-1",
            "1e999",
            "9" * 400,
            '"',
            "W/",
            ";;;",
            "q=",
            "a/b;q=",
            "*;q=*",
        ]
    ),
    st.from_regex(r"[a-z*]{1,5}(/[a-z*]{1,5})?(; ?(q|boundary|charset)=[0-9a-z.\"]{0,6})?", fullmatch=True),
)
NO_HOSTS = ["x:99999", "x:65536", "x:y", "x:-1", "[::1", "[1:2]", "[zz]", "a b", "a/b", "a@b", "a,b", "ü", "a\tb"]
HOSTS = ["belref.test", "belref.test:5000", "belref_api:5000", "127.0.0.1:80", "[::1]:5000", "a.example.", "a:", ""]


@given(
    target=st.sampled_from(ROUTES),
    method=st.sampled_from(["GET", "GET", "HEAD", "POST", "OPTIONS", "DELETE"]),
    headers=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), min_size=1, max_size=4),
)
async def test_no_header_on_any_route_is_answered_with_a_5xx(
    app: Application, target: str, method: str, headers: Sequence[tuple[str, str]]
) -> None:
    assert (await ask(app, target, method=method, headers=headers)).status < 500


@pytest.mark.parametrize("target", [*ROUTES, "/v1/zipcodes/9000"])
async def test_a_host_that_is_none_is_refused_on_every_route(app: Application, target: str) -> None:
    for host in NO_HOSTS:
        answer = await ask(app, target, headers=[("Host", host)])
        assert (answer.status, "Host" in answer.body.decode()) == (400, True), host
        assert answer.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("target", ["/index", "/v1/zipcodes/9000", "/v1/indexations", "/schema", "/health/live"])
async def test_one_host_there_must_be_and_no_second(app: Application, target: str) -> None:
    await ask(app, target)  # such an answer may be kept
    for hosts in ((), ("belref.test", "belref.test"), ("belref.test", "other.test")):
        answer = await ask(app, target, headers=[("Host", host) for host in hosts], host=None)
        assert answer.status == 400
        assert "Host" in answer.body.decode()
    assert (await ask(app, target, host=None, http_version="1.0")).status in {200, 400}
    assert "Host" not in (await ask(app, target, host=None, http_version="1.0")).body.decode()


@pytest.mark.parametrize("host", HOSTS)
async def test_hosts_that_are_some_are_taken(app: Application, host: str) -> None:
    for target in ("/index", "/v1/zipcodes/9000", "/schema", "/health/live"):
        assert (await ask(app, target, headers=[("Host", host)])).status == 200
