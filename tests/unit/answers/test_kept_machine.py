"""Whatever happens, in whatever order: the server answers in the bytes of the application, which keeps nothing."""

import asyncio
import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.worlds import make_app, make_index, snapshot
from tests.worlds.asgi import Sent, ask
from tests.worlds.examples import slow
from tests.worlds.risk_tables import put_into_service
from tests.worlds.wire import Connection, written

from adapters.memory import InMemoryZipcodeRepository
from domain.health_index.figures import Month, Publication
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider
from domain.risk.tables import RiskFactor, RiskTable

FIGURES = [figure for figure in snapshot().figures if figure.base_year != 2025]
START = datetime(2026, 7, 28, 20, 30, 0, 300_000, tzinfo=UTC)  # July is expected on the 30th
KNOWN = Month(2026, 6)


def some(parameters: list[str]) -> st.SearchStrategy[list[str]]:
    """Some of these, each once."""
    return st.lists(st.sampled_from(parameters), unique=True, max_size=3)


ZIPCODES = st.sampled_from(["1000", "1001", "5000", "9000", "999", "01000", "x"])
TARGETS = st.one_of(
    st.tuples(
        st.builds("{}{}".format, st.sampled_from(["/v1/zipcodes/", "/zipcodes/", "/databases/zipcodes/"]), ZIPCODES),
        st.just([]),
    ),
    st.tuples(st.builds("/v1/zipcodes/{}".format, ZIPCODES), some(["as_of", "release"])),
    st.tuples(
        st.sampled_from(["/v1/zipcodes", "/v1/zipcodes/"]),
        some(["risk_factor=A", "risk_factor=C", "page=1", "page=2", "page_size=2", "as_of"]),
    ),
    st.tuples(st.just("/databases/zipcodes"), some(["risk_factor=A", "risk_factor=B"])),
    st.tuples(st.just("/v1/risk-ranges"), some(["as_of", "release"])),
    st.tuples(st.just("/v1/releases"), some(["page=1", "page_size=1"])),
    st.tuples(st.just("/index"), some(["year=2004", "year=2013", "year=2020", "yaer=2004"])),
    st.tuples(
        st.sampled_from(["latest", "2026-06", "2026-05", "2026-07", "2026-08", "1993-12", "base-years"]).map(
            "/v1/health-index/{}".format
        ),
        some(["base_year=2013", "base_year=2004", "as_of"]),
    ),
    st.tuples(
        st.just("/v1/health-index"),
        some(
            [
                "base_year=2013",
                "base_year=1988",
                "from=2026-01",
                "to=2026-07",
                "from=2026-07",
                "to=2025-01",
                "as_of",
            ]
        ),
    ),
    st.tuples(
        st.just("/v1/rent-indexations"),
        st.just(["rent=900", "region=flanders", "signed_on=2020-07-01", "starts_on=2020-07-30"]),
    ),
    st.tuples(st.sampled_from(["/health/live", "/nothing", "/v1/zipcodes/lookup"]), st.just([])),
)
ACCEPT = st.sampled_from([None, "*/*", "text/csv", "application/json", "text/csv;q=0.5, application/json", "image/png"])
CODINGS = st.sampled_from(
    [None, "", "gzip", "br", "gzip, deflate, br", "br;q=0.1, gzip;q=0.9", "identity", "identity;q=0", "*", "gzip;q=0"]
)
OTHERS = st.sampled_from(
    [
        *[()] * 6,
        (("Origin", "https://shop.example"),),
        (("Cookie", "a=b"),),
        (("Authorization", "Basic eDp5"),),
        (("Origin", "https://shop.example"), ("Cookie", "a=b")),
        (("Cache-Control", "no-cache"),),
        (("Range", "bytes=0-9"),),
        (("Connection", "keep-alive"),),
        (("Accept", "text/csv"), ("Accept", "application/json;q=0.1")),
        (("Accept-Encoding", "gzip" + " " * 1024),),
    ]
)
TAGS = st.sampled_from([None, None, "*", 'W/"nothing"', "last", "last, strong", "several"])


Request = tuple[str, str, list[tuple[str, str]]]
LOOKUP = ("/v1/zipcodes/lookup", "POST", [("Content-Type", "application/json")])
BODY = b'{"zipcodes":[1000,5000,"x"]}'
SPELLINGS = (str.lower, str.upper, str.title, str)


class Asked(NamedTuple):
    """A request, but for what depends on the moment."""

    target: tuple[str, list[str]]
    method: str
    accept: str | None
    coding: str | None
    others: tuple[tuple[str, str], ...]
    tag: str | None
    instant: str


REQUESTS = st.builds(
    Asked,
    target=TARGETS,
    method=st.sampled_from(["GET", "GET", "GET", "HEAD"]),
    accept=ACCEPT,
    coding=CODINGS,
    others=OTHERS,
    tag=TAGS,
    instant=st.sampled_from(["2026-07-20", "now", "a minute ago", "2 minutes ago", "2030-01-01"]),
)
ALWAYS_ASKED: list[Request] = [
    ("/index", "GET", []),
    ("/v1/health-index/latest", "GET", [("If-None-Match", '"x"')]),
    ("/v1/health-index/2026-05", "HEAD", []),
    ("/v1/health-index?base_year=2013&from=2026-03", "GET", [("Accept", "text/csv")]),
    ("/v1/health-index?base_year=2013&from=2026-03", "GET", []),
    ("/v1/zipcodes/1000", "GET", []),
]
MAX_AGE = re.compile(r"max-age=(\d+)")


class Statbel(HealthIndexProvider):
    """Publishes the figures of the snapshot up to a month."""

    def __init__(self, machine: "Machine") -> None:
        self.machine = machine
        self.last = KNOWN

    async def publication(self, known: IndexTable) -> Publication:
        figures = tuple(figure for figure in FIGURES if figure.month <= self.last)
        return Publication(figures, self.machine.now, "statbel")


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = START
        self.tags: dict[str, str] = {}
        self.asked = 0
        self.last: list[Request] = []
        self.statbel = Statbel(self)

    def clock(self) -> datetime:
        return self.now

    @initialize()
    def start(self) -> None:
        bundled = tuple(figure for figure in FIGURES if figure.month <= KNOWN)
        self.index = make_index(self.statbel, Publication(bundled, START, "snapshot"), self.clock)
        self.repository = InMemoryZipcodeRepository(clock=self.clock)
        self.put({1000: RiskFactor.A, 5000: RiskFactor.C})
        self.kept, self.fresh = (
            make_app(self.repository, self.index, self.clock, checks={}, response_cache=response_cache)
            for response_cache in (True, False)
        )
        self.server = self.kept.server()
        self.connection: Connection | None = None

    def put(self, factors: dict[int, RiskFactor]) -> None:
        self.loop.run_until_complete(put_into_service(self.repository, RiskTable.from_factors(factors)))

    @rule(
        factors=st.dictionaries(st.sampled_from([1000, 1001, 1002, 5000]), st.sampled_from(RiskFactor), min_size=1),
        many=st.booleans(),
    )
    def another_table(self, factors: dict[int, RiskFactor], *, many: bool) -> None:
        self.ask_again()
        self.put(factors | dict.fromkeys(range(6000, 6300), RiskFactor.B) if many else factors)
        self.ask_again()

    @rule(months=st.integers(0, 1))
    def the_index_is_read(self, months: int) -> None:
        self.ask_again()
        begun = Month(self.now.year, self.now.month)
        self.statbel.last = min(self.statbel.last.plus(months), begun, Month(2026, 8))
        self.loop.run_until_complete(self.index.refresh())
        self.ask_again()

    @rule(seconds=st.sampled_from([0.000001, 0.25, 0.7, 1, 5, 59, 61, 240, 3600, 80_000, 86_400]))
    def time_passes(self, seconds: float) -> None:
        self.ask_again()
        self.now += timedelta(seconds=seconds)
        self.ask_again()

    @rule(microseconds=st.sampled_from([-1, 0, 1]))
    def it_is_time_for_a_change(self, microseconds: int) -> None:
        self.ask_again()
        turn, _ = self.index.steady(self.now)
        if turn.year < 9999:
            self.now = max(self.now, turn + timedelta(microseconds=microseconds))
        self.ask_again()

    @rule(asked=REQUESTS, shuffled=st.randoms(use_true_random=False), times=st.integers(1, 3))
    def somebody_asks(self, asked: Asked, shuffled: Random, times: int) -> None:
        for _ in range(times):
            request = self.request(asked, shuffled)
            self.compare([request])
        if request not in self.last:
            self.last.append(request)

    @rule(
        several=st.lists(st.one_of(REQUESTS, st.just(LOOKUP)), min_size=2, max_size=12),
        random=st.randoms(use_true_random=False),
        closing=st.booleans(),
    )
    def somebody_asks_without_waiting(self, several: list[Asked | Request], random: Random, *, closing: bool) -> None:
        requests = [self.request(each, random) if isinstance(each, Asked) else each for each in several]
        if closing:
            target, method, headers = requests[-1]
            headers = [each for each in headers if each[0] != "Connection"]
            requests[-1] = target, method, [*headers, ("Connection", "close")]
        self.compare(requests, random)

    @rule()
    def the_second_time_the_application_is_not_asked(self) -> None:
        assert self.kept.kept is not None
        self.ask_again()
        before = self.kept.kept.hits
        self.compare(ALWAYS_ASKED)
        assert self.kept.kept.hits == before + len(ALWAYS_ASKED)

    def request(self, asked: Asked, random: Random) -> Request:
        path, given = asked.target
        parameters = [self.written(parameter, asked.instant) for parameter in given]
        random.shuffle(parameters)
        named = {"Accept": asked.accept, "Accept-Encoding": asked.coding, "If-None-Match": self.tag(path, asked.tag)}
        headers = [*asked.others, *((name, value) for name, value in named.items() if value is not None)]
        headers = [(random.choice(SPELLINGS)(name), value) for name, value in headers]
        return path + "?" * bool(parameters) + "&".join(parameters), asked.method, headers

    def ask_again(self) -> None:
        for again in (*ALWAYS_ASKED, *self.last[-4:]):
            self.compare([again])

    def written(self, parameter: str, instant: str) -> str:
        if parameter == "release":
            return f"release={self.loop.run_until_complete(self.repository.history()).releases[0].id}"
        if parameter != "as_of":
            return parameter
        ago = {"now": 0, "a minute ago": 60, "2 minutes ago": 120}.get(instant)
        if ago is None:
            return f"as_of={instant}"
        return f"as_of={(self.now - timedelta(seconds=ago)).isoformat().replace('+00:00', 'Z')}"

    def tag(self, path: str, kind: str | None) -> str | None:
        last = self.tags.get(path)
        if kind is None or ("last" not in kind and kind != "several"):
            return kind
        if last is None:
            return None
        return {"last": last, "last, strong": last.removeprefix("W/"), "several": f'"a", {last}, W/"b"'}[kind]

    def compare(self, requests: list[Request], cut: Random | None = None) -> None:
        """The server and the application are asked the same; the server in pieces, where it is cut."""
        data, fresh = b"", []
        for target, method, headers in requests:
            self.asked += 1
            every = [*headers, ("X-Request-ID", str(UUID(int=self.asked)))]
            body = BODY if method == "POST" else b""
            data += written(target, method, every, body)
            asking = ask(self.fresh, target, method=method, headers=every, body=body)
            fresh.append(self.loop.run_until_complete(asking))
        kept = self.loop.run_until_complete(self.tell(data, [method for _, method, _ in requests], cut))
        assert len(kept) == len(fresh)
        for (target, _, _), one, other in zip(requests, kept, fresh, strict=True):
            self.compare_answers(target, one, other)

    async def tell(self, data: bytes, methods: list[str], cut: Random | None) -> list[Sent]:
        if self.connection is None or self.connection.transport.is_over():
            self.connection = self.server.connect()
        while data:
            size = len(data) if cut is None else cut.choice([1, 30, 100, 500, 5000])
            self.connection.send(data[:size])
            data = data[size:]
            if cut is not None and cut.random() < 0.3:
                await asyncio.sleep(0)
        return await self.connection.answers(len(methods), methods)

    def compare_answers(self, target: str, kept: Sent, fresh: Sent) -> None:
        assert kept.status == fresh.status
        assert kept.body == fresh.body
        assert comparable(kept) == comparable(fresh)
        digest = kept.header("repr-digest")
        if digest is not None and kept.body:
            assert digest == f"sha-256=:{b64encode(hashlib.sha256(kept.body).digest()).decode()}:"
        lifetime, age = said_lifetime(kept), int(kept.header("age") or "0")
        actual = said_lifetime(fresh)
        assert actual - (age > 0) <= lifetime - age <= actual
        if (tag := kept.header("etag")) is not None:
            self.tags[target.partition("?")[0]] = tag

    def teardown(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def said_lifetime(answer: Sent) -> int:
    found = MAX_AGE.search(answer.header("cache-control") or "")
    return int(found[1]) if found else 0


def comparable(answer: Sent) -> list[tuple[str, str]]:
    """The headers in their order, without what a server adds, and without the age and what it is taken from."""
    headers = [each for each in answer.headers if each[0] not in {"age", "connection", "date"}]
    return [(name, MAX_AGE.sub("", value) if name == "cache-control" else value) for name, value in headers]


TestTheServerIsNotSeen = Machine.TestCase
TestTheServerIsNotSeen.settings = slow(20, stateful_step_count=30)
