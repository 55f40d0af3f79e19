"""The response cache as clients see it: not at all, but for the time that it takes."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from litestar.types import Message
from tests.worlds import make_app
from tests.worlds.asgi import Sent

from entrypoints.metrics import CacheFigures, Metrics

LIST = "/v1/zipcodes"
SERIES = "/v1/health-index?base_year=2013"
ORIGIN = ("Origin", "https://shop.example")
EVERY_ROUTE = [
    "/index?year=2013",
    "/zipcodes/9000",
    "/databases/zipcodes/9000",
    "/databases/zipcodes?risk_factor=A",
    "/v1/zipcodes/9000",
    "/v1/zipcodes/9993",
    LIST,
    "/v1/releases",
    "/v1/releases/0001-168866b8",
    "/v1/risk-ranges",
    "/v1/health-index/latest",
    "/v1/health-index/2020-01",
    "/v1/health-index/2030-01",
    "/v1/health-index/1993-12",
    "/v1/health-index/base-years",
    SERIES,
]


class Subject:
    """An application over the bundled data, and what its cache says of itself."""

    def __init__(self, *, response_cache: bool = True, allow_origins: tuple[str, ...] = ("*",)) -> None:
        self.metrics = Metrics()
        self.app = make_app(checks={}, metrics=self.metrics, allow_origins=allow_origins, response_cache=response_cache)
        self.server = self.app.server()

    async def ask(self, target: str, *headers: tuple[str, str], method: str = "GET") -> Sent:
        return await self.server.ask(target, method=method, headers=headers)

    def value(self, name: str) -> float:
        found = self.metrics.registry.get_sample_value(f"belref_response_cache_{name}")
        assert found is not None
        return found

    def figures(self) -> CacheFigures:
        names = ("hits_total", "misses_total", "refused_total", "evicted_total", "entries", "bytes")
        return CacheFigures(*(int(self.value(name)) for name in names))


@pytest.fixture
def subject() -> Subject:
    return Subject()


def comparable(sent: Sent) -> tuple[int, Counter[tuple[str, str]], bytes]:
    identity = sent.header("x-request-id") or ""
    headers = Counter((name, value) for name, value in sent.headers if name != "x-request-id")
    return sent.status, headers, sent.body.replace(identity.encode(), b"the id")


class TestHits:
    @pytest.mark.parametrize("headers", [(), (ORIGIN,), (("If-None-Match", "*"),), (("Accept-Encoding", "br, gzip"),)])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("target", EVERY_ROUTE)
    async def test_a_kept_answer_is_the_first_one_header_by_header(
        self, subject: Subject, target: str, method: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        first = await subject.ask(target, *headers, method=method)
        second = await subject.ask(target, *headers, method=method)
        assert comparable(second) == comparable(first)
        assert (subject.figures().hits, subject.figures().misses) == (1, 1)

    @pytest.mark.parametrize("target", EVERY_ROUTE)
    async def test_each_answer_has_the_id_of_its_own_request(self, subject: Subject, target: str) -> None:
        answers = [await subject.ask(target) for _ in range(3)]
        ids = [answer.header("x-request-id") or "" for answer in answers]
        assert len({UUID(each) for each in ids}) == 3
        for answer, identity in zip(answers, ids, strict=True):
            assert (identity.encode() in answer.body) == (answer.status == 404)

    async def test_each_order_of_parameters_is_an_entry_of_its_own_with_the_same_answer(self, subject: Subject) -> None:
        queries = ("base_year=2013&from=2020-01&to=2020-02", "to=2020-02&base_year=2013&from=2020-01")
        answers = [await subject.ask(f"/v1/health-index?{query}") for query in queries]
        assert comparable(answers[0]) == comparable(answers[1])
        assert (subject.figures().hits, subject.figures().entries) == (0, 2)

    async def test_they_are_counted_among_the_requests_and_by_themselves(self, subject: Subject) -> None:
        for _ in range(3):
            await subject.ask("/index")
        labels = {"method": "GET", "route": "/index", "status": "200"}
        assert subject.metrics.registry.get_sample_value("belref_request_seconds_count", labels) == 3
        figures = subject.figures()
        assert figures[:5] == (2, 1, 0, 0, 1)
        assert figures.bytes > 1000

    async def test_they_are_counted_by_method_route_and_status(self, subject: Subject) -> None:
        tag = (await subject.ask("/index")).header("etag") or ""
        for _ in range(2):
            await subject.ask("/index")
            await subject.ask("/index", method="HEAD")
        for _ in range(3):  # a 304 is kept beside the answer when it is asked for first
            await subject.ask("/v1/health-index/latest", ("If-None-Match", tag))
        await subject.ask("/index", ("If-None-Match", tag))

        def counted(name: str, *values: str) -> float | None:
            labels = dict(zip(("method", "route", "status"), values, strict=True))
            return subject.metrics.registry.get_sample_value(name, labels)

        kept, every = "belref_response_cache_answers_total", "belref_request_seconds_count"
        assert counted(kept, "GET", "/index", "200") == 2
        assert counted(kept, "HEAD", "/index", "200") == 2
        assert counted(kept, "GET", "/v1/health-index/latest", "200") == 2
        assert counted(every, "GET", "/index", "200") == 3
        assert counted(every, "HEAD", "/index", "200") == 2
        assert counted(every, "GET", "/index", "304") == 1


class TestNotKept:
    @pytest.mark.parametrize(
        "header",
        [
            ("Authorization", "Bearer x"),
            ("Cookie", "a=b"),
            ("Range", "bytes=0-1"),
            ("Cache-Control", "no-cache"),
            ("Cache-Control", "max-age=0, no-store"),
            ("Pragma", "no-cache"),
            ("If-Match", '"x"'),
        ],
    )
    async def test_a_header_that_nobody_reads_makes_no_answer_anew(
        self, subject: Subject, header: tuple[str, str]
    ) -> None:
        without = await subject.ask("/index")
        assert comparable(await subject.ask("/index", header)) == comparable(without)
        assert (subject.figures().hits, subject.figures().misses) == (1, 1)

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("/index?year=2020", 404),
            ("/index?yaer=2004", 400),
            ("/zipcodes/999", 404),
            ("/v1/zipcodes/999", 400),
            ("/nothing", 404),
            ("/health/live", 200),
            ("/schema/openapi.json", 200),
            ("/v1/indexations?amount=100&from=2020-01&to=2021-01", 200),
            (f"{SERIES}&from=2021-01&to=2020-01", 400),
            ("/v1/zipcodes/9000?as_of=2026-09-10T12:00:00Z", 200),  # just now: it will last longer before long
        ],
    )
    async def test_refusals_what_has_no_end_and_what_is_not_settled(
        self, subject: Subject, target: str, status: int
    ) -> None:
        for _ in range(2):
            assert (await subject.ask(target)).status == status
        assert (subject.figures().hits, subject.figures().entries) == (0, 0)

    async def test_what_is_not_kept_is_known_to_be_unchanged_all_the_same(self, subject: Subject) -> None:
        target = "/v1/zipcodes/9000?as_of=2026-09-10T12:00:00Z"
        tag = (await subject.ask(target)).header("etag") or ""
        assert (await subject.ask(target, ("If-None-Match", tag))).status == 304

    async def test_a_host_that_is_none_is_refused_although_the_answer_is_known(self, subject: Subject) -> None:
        await subject.ask("/index")
        assert (await subject.ask("/index", ("Host", "a/b"))).status == 400

    async def test_where_it_depends_on_the_origin(self) -> None:
        subject = Subject(allow_origins=("https://shop.example",))
        for _ in range(2):
            answer = await subject.ask("/index", ORIGIN)
            assert answer.header("access-control-allow-origin") == "https://shop.example"
        assert subject.figures().entries == 0
        assert (await subject.ask("/index")).header("access-control-allow-origin") is None

    async def test_without_a_cache(self) -> None:
        subject = Subject(response_cache=False)
        for _ in range(2):
            assert (await subject.ask(LIST, ("Accept-Encoding", "gzip"))).header("content-encoding") == "gzip"
        assert subject.metrics.registry.get_sample_value("belref_response_cache_hits_total") is None


class TestConditions:
    @pytest.mark.parametrize("target", ["/index", "/v1/zipcodes/9000", LIST, SERIES])
    async def test_304_has_what_a_cache_needs_and_no_body(self, subject: Subject, target: str) -> None:
        whole = await subject.ask(target)
        tag = whole.header("etag") or ""
        for given in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            answer = await subject.ask(target, ("If-None-Match", given))
            assert (answer.status, answer.body) == (304, b"")
            for name in ("etag", "cache-control", "vary", "x-release"):
                assert answer.header(name) == whole.header(name)
            assert answer.header("content-type") is None
            assert answer.header("content-length") is None
        assert (await subject.ask(target, ("If-None-Match", '"x"'))).status == 200

    async def test_a_first_request_may_be_a_conditional_one(self, subject: Subject) -> None:
        assert (await subject.ask("/index", ("If-None-Match", "*"))).status == 304
        answer = await subject.ask("/index")
        assert (answer.status, subject.figures().hits) == (200, 1)
        assert answer.body.startswith(b'{"base_year":2004')

    async def test_it_may_be_given_while_a_newer_one_is_fetched_and_when_there_is_none(self, subject: Subject) -> None:
        lifetime = (await subject.ask("/index")).header("cache-control")
        assert lifetime == "public, max-age=300, stale-while-revalidate=60, stale-if-error=86400"


class TestCompression:
    @pytest.mark.parametrize(
        ("accepted", "coding"),
        [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("br;q=0.5, gzip;q=0.8", "gzip"),
            ("br;q=0, gzip", "gzip"),
            ("*", "br"),
            ("*;q=0.1, br;q=0", "gzip"),
            ("identity;q=0, br", "br"),
            ("GZIP", "gzip"),
            ("", None),
            ("deflate", None),
            ("identity", None),
            ("identity, gzip;q=0.5", None),
            ("gzip;q=0", None),
            ("identity;q=0", None),  # nothing that there is: better as it is than not at all
            ("gzip;q=much", None),
        ],
    )
    async def test_the_client_gets_the_coding_that_it_wants_most(
        self, subject: Subject, accepted: str, coding: str | None
    ) -> None:
        plain = await subject.ask(SERIES)
        assert plain.header("content-encoding") is None
        for _ in range(2):
            answer = await subject.ask(SERIES, ("Accept-Encoding", accepted))
            assert answer.header("content-encoding") == coding
            assert answer.header("content-length") == str(len(answer.body))
            assert answer.decoded() == plain.body
            assert answer.header("etag") == plain.header("etag")
            assert {"Accept", "Accept-Encoding"} == set((answer.header("vary") or "").split(", "))

    async def test_a_small_answer_is_not_compressed_and_does_not_say_that_it_could_be(self, subject: Subject) -> None:
        answer = await subject.ask("/index", ("Accept-Encoding", "br"))
        assert answer.header("content-encoding") is answer.header("vary") is None

    async def test_many_who_ask_for_a_large_answer_at_once_have_it_compressed_once(self, subject: Subject) -> None:
        plain = await subject.ask(LIST)
        answers = await asyncio.gather(*(subject.ask(LIST, ("Accept-Encoding", "gzip")) for _ in range(8)))
        assert {answer.header("content-encoding") for answer in answers} == {"gzip"}
        assert {answer.decoded() for answer in answers} == {plain.body}
        assert len({id(answer.body) for answer in answers}) <= 8
        assert len(answers[0].body) < len(plain.body) // 5

    async def test_a_head_says_how_long_the_compressed_answer_is(self, subject: Subject) -> None:
        head = await subject.ask(SERIES, ("Accept-Encoding", "br"), method="HEAD")
        whole = await subject.ask(SERIES, ("Accept-Encoding", "br"))
        assert (head.body, head.header("content-length")) == (b"", str(len(whole.body)))

    async def test_what_compressing_adds_is_counted(self, subject: Subject) -> None:
        await subject.ask(LIST)
        before = subject.figures().bytes
        body = (await subject.ask(LIST, ("Accept-Encoding", "br"))).body
        assert subject.figures().bytes >= before + len(body)


class TestAttacks:
    async def test_a_flood_of_addresses_displaces_nothing_and_fills_no_memory(self, subject: Subject) -> None:
        hot = [f"/v1/zipcodes/{zipcode}" for zipcode in range(9000, 9020)]
        for path in (*hot, *hot):
            await subject.ask(path)
        for number in range(3000):
            await subject.ask(f"/index?year={'0' * (number % 12)}2013&{'&' * (number % 200)}")
            await subject.ask(f"/v1/health-index/latest?base_year=2013#{number}")
        assert subject.figures().entries < 10_000
        before = subject.figures().hits
        for path in hot:
            await subject.ask(path)
        assert subject.figures().hits == before + len(hot)


async def test_who_goes_away_while_being_answered_is_logged_and_counted(subject: Subject) -> None:
    await subject.ask("/index")

    async def gone(_: Message) -> None:
        raise ConnectionResetError

    async def nothing() -> None:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/index", "query_string": b"", "headers": [(b"host", b"a")]}
    with pytest.raises(ConnectionResetError):
        await subject.app(scope, nothing, gone)  # type: ignore[arg-type]  # no more of a scope is needed
    labels = {"method": "GET", "route": "/index", "status": "200"}
    assert subject.metrics.registry.get_sample_value("belref_request_seconds_count", labels) == 2
