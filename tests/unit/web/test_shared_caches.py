"""What a cache between us and many clients is told: by what an answer varies, and which pages may read it."""

import pytest
from tests.worlds import RESPONSE_CACHE, Application, make_app
from tests.worlds.asgi import Sent, ask

LARGE, NEGOTIATED = "/v1/zipcodes", "/v1/risk-ranges"
OTHERS: tuple[list[tuple[str, str]], ...] = (
    [],
    [("Cookie", "a=b")],
    [("Authorization", "Bearer x")],
    [("Cache-Control", "no-cache")],
    [("Accept-Encoding", "gzip")],
    [("Accept-Encoding", "gzip"), ("Cookie", "a=b")],
    [("Origin", "https://a.example")],
    [("Range", "bytes=0-1")],
)
NAMED = "https://a.example"


@pytest.fixture(scope="session")
def named() -> Application:
    return make_app(allow_origins=(NAMED,))


def _varies(answer: Sent) -> set[str]:
    return {name.strip() for name in (answer.header("vary") or "").split(",") if name.strip()}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_may_be_compressed_says_so_to_everybody(app: Application, method: str) -> None:
    for _ in range(2):  # made anew, and kept
        for headers in OTHERS:
            assert _varies(await ask(app, LARGE, method=method, headers=headers)) == {"Accept-Encoding"}
            answer = await ask(app, NEGOTIATED, method=method, headers=headers)
            assert _varies(answer) == {"Accept", "Accept-Encoding"}


async def test_an_answer_that_did_not_change_varies_by_the_same(app: Application) -> None:
    tag = (await ask(app, NEGOTIATED)).header("etag") or ""
    for headers in OTHERS:
        answer = await ask(app, NEGOTIATED, headers=[*headers, ("If-None-Match", tag)])
        assert (answer.status, _varies(answer)) == (304, {"Accept", "Accept-Encoding"})


async def test_what_is_too_small_to_be_compressed_varies_by_nothing(app: Application) -> None:
    for headers in OTHERS:
        assert (await ask(app, "/v1/zipcodes/9000", headers=headers)).header("vary") is None


async def test_two_lines_of_accept_encoding_are_one_list_whether_an_answer_is_kept_or_not() -> None:
    app = make_app()
    lines = [("Accept-Encoding", "gzip;q=0"), ("Accept-Encoding", "gzip")]
    joined = [("Accept-Encoding", "gzip;q=0, gzip")]
    answers = [await ask(app, LARGE, headers=headers) for headers in (lines, joined, lines)]
    assert len({answer.header("content-encoding") for answer in answers}) == 1
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.parametrize("target", ["/v1/zipcodes/9000", "/v1/zipcodes/1", "/nothing", "/v1/indexations", "/health"])
async def test_every_answer_may_be_read_by_every_page_whoever_asks(app: Application, target: str) -> None:
    for _ in range(2):
        for headers in (*OTHERS, [("Origin", "")]):
            answer = await ask(app, target, headers=headers)
            assert answer.header("access-control-allow-origin") == "*"
            assert "Origin" not in _varies(answer)
            assert "ETag" in (answer.header("access-control-expose-headers") or "")


@pytest.mark.parametrize("target", ["/v1/zipcodes/9000", "/v1/zipcodes/1", "/nothing", NEGOTIATED])
async def test_where_origins_are_named_every_answer_says_that_it_depends_on_them(
    named: Application, target: str
) -> None:
    for _ in range(2):
        for origin, allowed in ((None, None), ("", None), (NAMED, NAMED), ("https://b.example", None)):
            answer = await ask(named, target, headers=[] if origin is None else [("Origin", origin)])
            assert answer.header("access-control-allow-origin") == allowed
            assert "Origin" in _varies(answer)


@pytest.mark.skipif(not RESPONSE_CACHE, reason="nothing is kept in this run")
async def test_answers_to_requests_without_an_origin_are_kept_where_origins_are_named() -> None:
    named = make_app(allow_origins=(NAMED,))
    assert named.kept is not None
    for headers, hits in (([], 0), ([], 1), ([("Origin", NAMED)], 1), ([("Origin", "")], 2)):
        await named.server().ask("/v1/zipcodes/9000", headers=headers)
        assert named.kept.hits == hits


async def test_a_page_learns_before_it_asks_what_it_may_do(app: Application) -> None:
    asked = [("Origin", NAMED), ("Access-Control-Request-Method", "POST")]
    answer = await ask(app, "/v1/zipcodes/lookup", method="OPTIONS", headers=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-methods") == "GET, POST"
    assert answer.header("access-control-allow-headers") == "*"
    assert answer.header("allow") == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("origin", "method", "word"), [("https://b.example", "GET", "https://b.example"), (NAMED, "DELETE", "DELETE")]
)
async def test_what_a_page_may_not_do_is_refused_with_a_problem(
    named: Application, origin: str, method: str, word: str
) -> None:
    asked = [("Origin", origin), ("Access-Control-Request-Method", method)]
    answer = await ask(named, "/v1/zipcodes", method="OPTIONS", headers=asked)
    assert answer.status == 400
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("cache-control") == "no-store"
    assert word in answer.body.decode()


async def test_nothing_below_the_documentation_is_a_problem_like_nothing_elsewhere(app: Application) -> None:
    for target in ("/schema/nothing", "/schema/nothing.json", "/schema/assets/nothing"):
        answer = await ask(app, target)
        assert (answer.status, answer.header("content-type")) == (404, "application/problem+json")


@pytest.mark.parametrize("target", ["/index", "/v1/zipcodes", "/schema", "/nothing"])
async def test_the_methods_of_a_route_are_named_in_one_order(app: Application, target: str) -> None:
    for method in ("DELETE", "PATCH"):
        answer = await ask(app, target, method=method)
        if answer.status != 404:
            assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, OPTIONS")


async def test_which_parameter_is_missing_or_unknown_does_not_depend_on_chance(app: Application) -> None:
    missing = (await ask(app, "/v1/rent-indexations")).body.decode()
    assert "rent is required" in missing
    unknown = (await ask(app, "/v1/zipcodes?zz=1&aa=2&mm=3")).body.decode()
    assert '"name":"zz"' in unknown
