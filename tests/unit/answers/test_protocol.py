"""The connections of clients: what is answered by itself, what is left to the application, what is refused."""

import asyncio
import inspect
import re
from collections.abc import Iterable

import pytest
from structlog.testing import capture_logs
from tests.worlds import Application, make_app
from tests.worlds.asgi import Sent
from tests.worlds.wire import Connection, Wire, written
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from entrypoints.http.edge.guarded import LEANED_ON, GuardedProtocol, missing_attributes
from entrypoints.http.edge.guards import Limits
from entrypoints.http.edge.protocol import EdgeProtocol

HOT = "/v1/zipcodes/9000"
SMALL = Limits(connections=3, target_bytes=300, headers=10, header_bytes=2000)


class Subject:
    """A server over the bundled data that has answered `HOT` once, and so keeps it."""

    def __init__(self, app: Application, limits: Limits) -> None:
        assert app.kept is not None
        self.app, self.kept, self.server = app, app.kept, app.server(limits)

    async def warm(self) -> "Subject":
        assert (await self.server.ask(HOT)).status == 200
        return self

    def refused(self, reason: str) -> float:
        found = self.app.given.metrics.registry.get_sample_value("belref_refused_total", {"reason": reason})
        return found or 0


@pytest.fixture
async def subject() -> Subject:
    return await Subject(make_app(response_cache=True), SMALL).warm()


async def look(connection: Connection, *instants: float) -> None:
    """Let the guard look at the connection at these instants."""
    for instant in instants:
        connection.protocol.look(instant)
    await asyncio.sleep(0)


class TestBeyondDoubt:
    @pytest.mark.parametrize(
        "lines",
        [
            ["GET {} HTTP/1.1", "Host: a"],
            ["HEAD {} HTTP/1.1", "host: a:80"],
            ["GET {} HTTP/1.1", "HOST: [::1]:80", "Cookie: a=b", "User-Agent: x", "Connection: keep-alive"],
            ["GET {} HTTP/1.1", "Host: a", "Accept: */*", "Accept-Encoding: br", "Origin: https://a.example"],
            ["GET {} HTTP/1.1", "Host: a", "Connection: close"],
            ["GET {} HTTP/1.0", "Host: a"],
        ],
    )
    async def test_it_is_answered_without_the_application(self, subject: Subject, lines: list[str]) -> None:
        connection = subject.server.connect()
        connection.send("\r\n".join([*lines, "", ""]).format(HOT).encode())
        assert subject.kept.hits == 1
        assert connection.transport.written.startswith(b"HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
        assert connection.transport.is_closed == ("close" in lines[-1] or "1.0" in lines[0])

    @pytest.mark.parametrize(
        "lines",
        [
            ["POST {} HTTP/1.1", "Host: a"],
            ["GET {} HTTP/1.1", "Host: a", "Content-Length: 0"],
            ["GET {} HTTP/1.1", "Host: a", "Content-Length: 1"],
            ["GET {} HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 2"],
            ["GET {} HTTP/1.1", "Host: a", "content-length: 5", "transfer-encoding: chunked"],
            ["GET {} HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 5"],
            ["GET {} HTTP/1.1", "Host: a", "TRANSFER-ENCODING: gzip, chunked"],
            ["GET {} HTTP/1.1", "Host: a", "Transfer-Encoding: xchunked"],
            ["GET {} HTTP/1.1", "Host: a", "Transfer-Encoding : chunked"],
            ["GET {} HTTP/1.1", "Host: a", " folded: yes"],
            ["GET {} HTTP/1.1", "Host: a", "X: 1", "\tContent-Length: 5"],
            ["GET {} HTTP/1.1", "Host: a\nContent-Length: 5"],
            ["GET {} HTTP/1.1", "Host: a\rContent-Length: 5"],
            ["GET {} HTTP/1.1", "Host: a", "Content-Length: +5"],
            ["GET {} HTTP/1.1", "Host: a", "Content-Length: 0x5"],
            ["GET {} HTTP/1.1", "Host: a", "Expect: 100-continue"],
            ["GET {} HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: h2c"],
            ["GET {} HTTP/1.1", "Host: a", "Host: b"],
            ["GET {} HTTP/1.1", "Host: a/b"],
            ["GET {} HTTP/1.1", "X: y"],
            ["GET {} HTTP/1.0", "Host: a", "Connection: keep-alive"],
            ["GET {} HTTP/2.0", "Host: a"],
            ["GET {} HTTP/1.1", "Host: a", "Accept: a", "Accept: b"],
            ["GET {}\x00 HTTP/1.1", "Host: a"],
            ["GET {} HTTP/1.1", "Host: a", "X: a\x00b"],
            ["GET {} HTTP/1.1 ", "Host: a"],
            ["get {} HTTP/1.1", "Host: a"],
        ],
    )
    async def test_everything_else_is_not(self, subject: Subject, lines: list[str]) -> None:
        connection = subject.server.connect()
        connection.send("\r\n".join([*lines, "", ""]).format(HOT).encode("latin-1"))
        assert subject.kept.hits == 0
        assert not connection.transport.written.startswith(b"HTTP/1.1 200")

    async def test_a_body_is_never_taken_for_a_request(self, subject: Subject) -> None:
        hidden = written(HOT)
        for headers, body in (
            ([("Content-Length", str(len(hidden)))], hidden),
            ([("Transfer-Encoding", "chunked")], b"%x\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(hidden), hidden)),
        ):
            connection = subject.server.connect()
            connection.send(written(HOT, headers=headers) + body)
            assert [answer.status for answer in await connection.answers(1)] == [200]
            assert subject.kept.hits == 0
            connection.send(written(HOT))
            assert [answer.status for answer in await connection.answers(1)] == [200]
            assert subject.kept.hits == 1
            subject.kept.hits = 0

    async def test_what_follows_an_upgrade_is_not_looked_at(self, subject: Subject) -> None:
        connection = subject.server.connect()
        upgrade = [("Connection", "Upgrade"), ("Upgrade", "h2c"), ("Content-Length", "60")]
        connection.send(written(HOT, "POST", upgrade))
        connection.send(written(HOT))
        assert [answer.status for answer in await connection.answers(2)] == [405]
        assert connection.transport.is_closed
        assert subject.kept.hits == 0


class TestTurns:
    async def test_what_is_pipelined_is_answered_in_order_a_few_at_a_time(self, subject: Subject) -> None:
        targets = [HOT, "/v1/zipcodes/1", HOT, "/index", "/nothing", HOT] * 40
        connection = subject.server.connect()
        connection.send(b"".join(map(written, targets)))
        assert connection.transport.is_paused
        assert len(connection.transport.written) < 10_000
        answers = await connection.answers(len(targets))
        statuses = {HOT: 200, "/v1/zipcodes/1": 400, "/index": 200, "/nothing": 404}
        assert [answer.status for answer in answers] == [statuses[target] for target in targets]
        await asyncio.sleep(0)
        assert not connection.transport.is_paused

    async def test_a_kept_answer_waits_for_the_answer_before(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/nothing") + written(HOT))
        assert not connection.transport.written
        assert subject.kept.hits == 0
        assert [answer.status for answer in await connection.answers(2)] == [404, 200]

    async def test_nothing_is_read_while_requests_wait(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/nothing") * 3)
        assert connection.transport.is_paused
        assert len(await connection.answers(1)) == 1
        assert connection.transport.is_paused
        assert len(await connection.answers(2)) == 2

    async def test_nothing_is_read_from_a_client_that_does_not_read(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.transport.room = 0
        connection.send(written(HOT) * 2000)
        for _ in range(500):
            await asyncio.sleep(0)
        assert 65_536 < len(connection.transport.written) < 65_536 + 10_000
        assert connection.transport.is_paused
        connection.transport.room, connection.transport.unread = None, 0
        connection.protocol.resume_writing()
        assert len(await connection.answers(2000)) == 2000

    async def test_a_client_that_says_no_more_has_its_answers(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/nothing") + written(HOT) * 20)
        assert connection.protocol.eof_received()
        assert len(await connection.answers(21)) == 21
        await asyncio.sleep(0)
        assert connection.transport.is_closed

    @pytest.mark.parametrize(
        "begun", [b"", b"GET /ind", written(HOT), written("/v1/zipcodes/lookup", "POST", [("Content-Length", "5")])]
    )
    async def test_a_client_that_says_no_more_and_waits_for_nothing_is_let_go(
        self, subject: Subject, begun: bytes
    ) -> None:
        connection = subject.server.connect()
        if begun:
            connection.send(begun)
        assert not connection.protocol.eof_received()


class TestLimits:
    @pytest.mark.parametrize(
        ("data", "status", "reason"),
        [
            (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\n", 414, "target"),
            (b"GET /" + b"a" * 100_000, 414, "target"),
            (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 11 + b"\r\n", 431, "headers"),
            (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000, 431, "headers"),
            (b"GET / HTTP/1.1\r\nA: " + b"b" * 5000 + b"\r\n\r\n", 431, "headers"),
            (b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000, 431, "headers"),
            (b"GET / HTTP/1.1\r\n" + b"a" * 100_000, 431, "headers"),
            (b"\x16\x03\x01\x02\x00", 400, "malformed"),
            (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"),
            (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"),
        ],
    )
    @pytest.mark.parametrize("size", [50, 4096, 1_000_000])
    async def test_too_much_is_refused_with_a_problem_and_nothing_else_is_read(
        self, subject: Subject, data: bytes, status: int, reason: str, size: int
    ) -> None:
        connection = subject.server.connect()
        for at in range(0, len(data), size):
            connection.send(data[at : at + size])
        connection.send(written(HOT))
        answers = await connection.answers(2)
        assert [answer.status for answer in answers] == [status]
        self.assert_problem(answers[0])
        assert subject.refused(reason) == 1
        assert subject.kept.hits == 0
        assert connection.transport.has_ended

    def assert_problem(self, answer: Sent) -> None:
        assert answer.header("content-type") == "application/problem+json"
        assert answer.header("cache-control") == "no-store"
        assert answer.header("connection") == "close"
        assert (answer.header("x-request-id") or "-").encode() in answer.body

    async def test_a_refusal_comes_after_the_answers_before_it(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/nothing") + b"nonsense\r\n\r\n")
        answers = await connection.answers(2)
        assert [answer.status for answer in answers] == [404, 400]

    async def test_a_body_that_is_malformed_is_refused_and_its_request_goes_unanswered(self, subject: Subject) -> None:
        connection = subject.server.connect()
        head = [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")]
        connection.send(written("/v1/zipcodes/lookup", "POST", head))
        await asyncio.sleep(0)
        connection.send(b"zz\r\n")
        assert [answer.status for answer in await connection.answers(2)] == [400]

    async def test_a_head_in_many_pieces_is_taken_up_to_the_limit(self, subject: Subject) -> None:
        connection = subject.server.connect()
        for byte in written(HOT, headers=[("A", "b" * 1500)]):
            connection.send(bytes([byte]))
        assert [answer.status for answer in await connection.answers(1)] == [200]

    async def test_beyond_the_connections_that_may_be_the_oldest_idle_one_goes(self, subject: Subject) -> None:
        connections = [subject.server.connect() for _ in range(4)]
        connections[1].send(b"GET / HT")
        assert [each.transport.is_closed for each in connections] == [True, False, False, False]
        subject.server.connect()
        assert [each.transport.is_closed for each in connections] == [True, False, True, False]
        assert subject.refused("connections") >= 2

    async def test_where_all_are_busy_a_new_connection_is_told_to_come_again(self, subject: Subject) -> None:
        for each in [subject.server.connect() for _ in range(3)]:
            each.send(b"GET / HT")
        late = subject.server.connect()
        (answer,) = await late.answers(1)
        assert (answer.status, answer.header("retry-after")) == (503, "5")
        self.assert_problem(answer)


class TestTime:
    async def test_a_head_has_to_come_in_time(self, subject: Subject) -> None:
        connection = subject.server.connect()
        for begun in (b"", b"GET / HTTP/1.1\r\n", b"A: b\r\n"):
            if begun:
                connection.send(begun)
        await look(connection, 0, 9.9)
        connection.send(b"B: c\r\n")
        assert not connection.transport.written
        await look(connection, 10)
        assert connection.transport.written.startswith(b"HTTP/1.1 408 ")
        await look(connection, 11, 12)
        assert not connection.transport.is_closed
        await look(connection, 13)
        assert connection.transport.is_closed

    async def test_who_never_says_anything_is_let_go(self, subject: Subject) -> None:
        connection = subject.server.connect()
        await look(connection, 0, 10, 11, 13)
        assert connection.transport.is_closed

    async def test_a_body_has_to_come_in_time(self, subject: Subject) -> None:
        connection = subject.server.connect()
        head = [("Content-Length", "100"), ("Content-Type", "application/json")]
        connection.send(written("/v1/zipcodes/lookup", "POST", head))
        await look(connection, 0, 29.9)
        connection.send(b"{")
        assert not connection.transport.written
        await look(connection, 30)
        assert connection.transport.written.startswith(b"HTTP/1.1 408 ")
        assert subject.refused("body_time") == 1

    async def test_who_does_not_read_is_cut_off(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.transport.room = 0
        connection.send(written(HOT))
        await look(connection, 0, 59.9)
        assert not connection.transport.is_closed
        await look(connection, 60)
        assert connection.transport.was_aborted

    async def test_an_idle_connection_stays_open_for_a_while_after_each_request(self, subject: Subject) -> None:
        connection = subject.server.connect()
        for instant in (0, 4.9, 9.8):
            connection.send(written(HOT))
            await look(connection, instant)
        await look(connection, 14.7)
        assert not connection.transport.is_closed
        await look(connection, 14.8)
        assert connection.transport.is_closed

    async def test_an_answer_may_take_as_long_as_it_takes(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/nothing"))
        for instant in range(100):
            connection.protocol.look(instant)
        assert [answer.status for answer in await connection.answers(1)] == [404]


class TestShutdown:
    async def test_every_answer_says_that_the_connection_ends(self, subject: Subject) -> None:
        kept, made = subject.server.connect(), subject.server.connect()
        made.send(written("/nothing"))
        for each in (kept, made):
            each.protocol.shutdown()
        kept.send(written(HOT))
        for connection in (kept, made):
            (answer,) = await connection.answers(1)
            assert answer.header("connection") == "close"
            assert connection.transport.is_closed

    async def test_an_idle_connection_has_a_second_for_a_request_that_is_under_way(self, subject: Subject) -> None:
        late, idle = subject.server.connect(), subject.server.connect()
        for each in (late, idle):
            each.send(written(HOT))
            await look(each, 0, 1)
        for each in (late, idle):
            each.protocol.shutdown()
            await look(each, 1.1, 2)
            assert not each.transport.is_closed
        late.send(written("/nothing"))
        assert [answer.status for answer in await late.answers(2)] == [200, 404]
        await look(idle, 2.1)
        assert idle.transport.is_closed

    async def test_a_body_that_never_ends_does_not_last(self, subject: Subject) -> None:
        connection = subject.server.connect()
        connection.send(written("/v1/zipcodes/lookup", "POST", [("Content-Length", "100")]))
        connection.protocol.shutdown()
        await look(connection, 0, 30, 31, 33)
        assert connection.transport.is_closed


class TestLog:
    async def test_refusals_are_logged_once_a_minute_at_most(self) -> None:
        app = make_app(response_cache=True)
        now = [0.0]
        subject = Subject(app, Limits())
        subject.server.guard._monotonic = lambda: now[0]
        with capture_logs() as logs:
            for instant in (0, 1, 59, 60, 61):
                now[0] = instant
                subject.server.connect().send(b"nonsense\r\n\r\n")
        assert [line["malformed"] for line in logs if line["event"] == "requests refused"] == [1, 3]


class TestUvicorn:
    def test_all_that_is_leaned_on_is_there(self) -> None:
        assert missing_attributes(make_app().edge) == []

    @pytest.mark.parametrize(("part", "name"), [(part, name) for part, every in LEANED_ON.items() for name in every])
    def test_each_attribute_that_is_missed_is_named(
        self, part: str, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(LEANED_ON, part, (f"{name}_of_another_version",))
        assert missing_attributes(make_app().edge) == [f"{part}.{name}_of_another_version"]

    def test_every_attribute_of_uvicorn_that_the_protocol_uses_is_named(self) -> None:
        own = {*vars(EdgeProtocol), *vars(GuardedProtocol)}
        used = {name for name in _names_after_self() if name in _names_of_uvicorn()}
        assert used - own - {"url"} <= set(LEANED_ON["protocol"])


def _names_after_self() -> Iterable[str]:
    return re.findall(r"self\.(\w+)", inspect.getsource(EdgeProtocol) + inspect.getsource(GuardedProtocol))


def _names_of_uvicorn() -> set[str]:
    source = inspect.getsource(HttpToolsProtocol)
    return {*re.findall(r"self\.(\w+)\b", source), *vars(HttpToolsProtocol)}


def test_the_server_of_the_tests_is_the_one_of_the_service() -> None:
    assert issubclass(Wire(make_app().edge, make_app().edge, None)._protocol, EdgeProtocol)
