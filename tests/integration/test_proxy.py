"""The proxy of the compose file, as a real HAProxy in front of real replicas: what passes, and what is refused how."""

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from tests.integration.service import Service, run_belref, running_services, wait_until
from tests.servers.haproxy import BINARY, SHIPPED, HAProxyServer

pytestmark = pytest.mark.skipif(BINARY is None, reason="there is no haproxy on the PATH (apt-get install haproxy)")

SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot"}
ZIPCODE, LOOKUP, ALL = "/v1/zipcodes/9000", "/v1/zipcodes/lookup", "/v1/zipcodes"
ASK = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
KEPT = ASK.replace(b"Connection: close\r\n", b"")
SLOW_HEAD = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\n"
BODY = b'{"zipcodes": [9000]}'
POST = (
    b"POST /v1/zipcodes/lookup HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 20\r\n"
)
SLOW_BODY = POST + b"\r\n" + BODY[:5]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Service]]:
    folder = tmp_path_factory.mktemp("replicas")
    with running_services([folder / "one", folder / "other"], **SNAPSHOT) as services:
        yield services


@pytest.fixture(scope="module")
def proxy(replicas: Sequence[Service], tmp_path_factory: pytest.TempPathFactory) -> Iterator[HAProxyServer]:
    """As it is shipped, in every number."""
    with HAProxyServer(tmp_path_factory.mktemp("proxy"), [each.port for each in replicas]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def client(proxy: HAProxyServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=proxy.url, timeout=20) as client:
        yield client


def told(port: int, request: bytes, *, source: str = "127.0.0.1") -> bytes:
    """All that comes back on a connection from this address, until it is closed."""
    with socket.create_connection(("127.0.0.1", port), 20, (source, 0)) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while piece := connection.recv(1 << 16):
                answer += piece
        except ConnectionResetError:  # what was sent is not read to its end
            return answer
    return answer


def status(answer: bytes) -> int:
    return int(answer[9:12])


def expect_problem(answer: bytes, name: str) -> dict[str, str]:
    """The headers of an answer that has to be a problem of this type, as the service itself would write it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    problem = json.loads(body)
    assert (headers["content-type"], headers["cache-control"]) == ("application/problem+json", "no-store")
    assert (problem["type"].rpartition("urn:problem-type:")[2], problem["status"]) == (name, status(answer))
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", problem["instance"])
    assert problem["instance"] == f"urn:uuid:{headers['x-request-id']}"
    assert problem["title"]
    assert problem["detail"]
    return headers


@pytest.mark.parametrize("rate", ["", "0", "1", "250"])
def test_haproxy_takes_the_file_with_the_limit_on_and_off_and_warns_of_nothing(rate: str) -> None:
    found = subprocess.run(
        [BINARY or "", "-c", "-f", SHIPPED], env={"CLIENT_RATE": rate}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("rate", ["many", "1.5", "5/s", "1 2"])
def test_a_rate_that_is_no_whole_number_ends_the_start(rate: str) -> None:
    found = subprocess.run(
        [BINARY or "", "-c", "-f", SHIPPED], env={"CLIENT_RATE": rate}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, f"div({rate})" in found.stderr) == (1, True)


class TestWhatPasses:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
    @pytest.mark.parametrize("target", [ZIPCODE, "/v1/zipcodes/99", "/v1/health-index?base_year=2013", "/?lang=nl"])
    def test_an_answer_has_the_status_the_headers_and_the_body_of_the_service(
        self, replicas: Sequence[Service], client: httpx2.Client, method: str, target: str
    ) -> None:
        headers = {
            "X-Request-ID": "6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11",
            "Origin": "https://page.example",
            "Access-Control-Request-Method": "GET",
        }
        direct, through = (each.request(method, target, headers=headers) for each in (replicas[0].client, client))
        differing = {"date"}
        assert (through.status_code, through.content) == (direct.status_code, direct.content)
        assert {k: v for k, v in through.headers.items() if k not in differing} == {
            k: v for k, v in direct.headers.items() if k not in differing
        }
        assert through.headers["X-Request-ID"] == headers["X-Request-ID"]

    def test_an_answer_that_has_not_changed_is_a_304(self, client: httpx2.Client) -> None:
        tag = client.get(ZIPCODE).headers["ETag"]
        again = client.get(ZIPCODE, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)

    @pytest.mark.parametrize("number", [1, 1000])
    def test_a_body_arrives_as_it_was_sent_be_it_counted_or_in_chunks(self, client: httpx2.Client, number: int) -> None:
        body = json.dumps({"items": [{"amount": 100, "from": "2010-06", "to": "2019-08"}] * number}, indent=4).encode()
        pieces = (body[at : at + 9_000] for at in range(0, len(body), 9_000))
        headers = {"Content-Type": "application/json"}
        counted = client.post("/v1/indexations", content=body, headers=headers)
        chunked = client.post("/v1/indexations", content=pieces, headers=headers)
        assert (counted.status_code, counted.json()["total"]) == (200, number)
        assert chunked.json() == counted.json()

    def test_a_client_that_waits_for_100_is_told_to_go_on(self, proxy: HAProxyServer) -> None:
        with socket.create_connection(("127.0.0.1", proxy.port), 20) as connection:
            connection.sendall(POST + b"Expect: 100-continue\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            connection.sendall(BODY)
            assert status(connection.recv(1 << 16)) == 200

    def test_what_the_service_refuses_as_too_large_is_its_own_problem(self, client: httpx2.Client) -> None:
        refused = {
            client.post(LOOKUP, content=b" " * 100_000, headers={"Content-Type": "application/json"}): (
                413,
                "payloadTooLarge",
            ),
            client.get(f"/{'a' * 8_192}"): (414, "targetTooLong"),
            client.get(ZIPCODE, headers={"Cookie": "a" * 33_000}): (431, "headersTooLarge"),
            client.get(ZIPCODE, headers=[("A", "b")] * 101): (431, "headersTooLarge"),
        }
        for answer, (expected, name) in refused.items():
            assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (expected, name)
        fits = client.get(f"/{'a' * 8_191}", headers=[("Cookie", "a" * 300)] * 90)
        assert fits.status_code == 404

    def test_when_to_come_again_is_what_a_replica_says(self, tmp_path: Path) -> None:
        with overloaded_replica() as port, HAProxyServer(tmp_path, [port]) as proxy:
            answer = httpx2.get(f"{proxy.url}{ZIPCODE}")
        assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (503, "17", "later")

    def test_a_deployment_behind_it_keeps_what_belref_promises(
        self, replicas: Sequence[Service], tmp_path: Path
    ) -> None:
        """One replica of it: without a store in common, two have put their tables into service at two instants."""
        with HAProxyServer(tmp_path, [replicas[0].port]) as proxy:
            found = run_belref(tmp_path, "verify", proxy.url, "--json")
        checks = json.loads(found.stdout)["checks"]
        others = {check["name"]: check["detail"] for check in checks if check["outcome"] != "ok"}
        assert found.returncode == 0, others
        assert list(others) == ["metrics"]
        assert "proxy" in others["metrics"]


class TestWhatIsRefused:
    def test_the_metrics_of_a_replica(self, proxy: HAProxyServer) -> None:
        expect_problem(told(proxy.port, ASK.replace(b"/v1/zipcodes/9000", b"/metrics")), "belgif:resourceNotFound")
        head = told(proxy.port, ASK.replace(b"GET /v1/zipcodes/9000", b"HEAD /metrics"))
        assert (status(head), head.partition(b"\r\n\r\n")[2]) == (404, b"")

    @pytest.mark.parametrize(
        "request_",
        [
            b"this is no HTTP\r\n\r\n",
            b"GET /" + b"a" * 50_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 50_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 300 + b"\r\n",
        ],
        ids=["no HTTP", "target", "header", "headers"],
    )
    def test_a_head_far_beyond_the_limits_of_the_service(self, proxy: HAProxyServer, request_: bytes) -> None:
        assert status(told(proxy.port, request_)) in {400, 414, 431}

    def test_connections_of_one_client_beyond_its_share(self, replicas: Sequence[Service], tmp_path: Path) -> None:
        with HAProxyServer(tmp_path, [replicas[0].port], connections="5") as proxy:
            held = [socket.create_connection(("127.0.0.1", proxy.port), 20) for _ in range(5)]
            for each in held:
                each.sendall(KEPT)
                assert status(each.recv(1 << 16)) == 200
            assert told(proxy.port, ASK) == b""
            assert status(told(proxy.port, ASK, source="127.0.0.2")) == 200
            for each in held:
                each.close()
            assert wait_until(lambda: told(proxy.port, ASK) or None, "a place").startswith(b"HTTP/1.1 200")


class TestTheRate:
    @pytest.fixture
    def limited(self, replicas: Sequence[Service], tmp_path: Path) -> Iterator[HAProxyServer]:
        with HAProxyServer(tmp_path, [each.port for each in replicas], rate="2") as proxy:
            yield proxy

    def test_beyond_it_a_client_is_told_when_to_come_again_and_others_are_answered(
        self, limited: HAProxyServer
    ) -> None:
        answered, refused = until_refused(told(limited.port, ASK) for _ in range(100))
        assert answered >= 20
        assert expect_problem(refused, "belgif:tooManyRequests")["retry-after"] == "10"
        assert status(refused) == 429
        assert json.loads(refused.partition(b"\r\n\r\n")[2])["detail"].startswith(
            "A client may send 2 requests a second"
        )
        head = told(limited.port, ASK.replace(b"GET", b"HEAD"))
        assert (status(head), head.partition(b"\r\n\r\n")[2]) == (429, b"")
        assert status(told(limited.port, ASK, source="127.0.0.2")) == 200

    def test_requests_of_one_connection_count_one_by_one(self, limited: HAProxyServer) -> None:
        assert b"HTTP/1.1 429 " in told(limited.port, KEPT * 60 + ASK)

    def test_the_64_of_an_ipv6_address_is_one_client(self, limited: HAProxyServer) -> None:
        def asked_from(address: str) -> bytes:
            return told(limited.relayed_port, f"PROXY TCP6 {address} ::1 1 2\r\n".encode() + ASK)

        answered, _ = until_refused(asked_from(f"2001:db8::{number:x}") for number in range(100))
        assert answered >= 20
        assert status(asked_from("2001:db8:0:1::")) == 200

    def test_without_it_nobody_is_counted(self, client: httpx2.Client) -> None:
        assert {client.get(ZIPCODE).status_code for _ in range(200)} == {200}


def until_refused(answers: Iterator[bytes]) -> tuple[int, bytes]:
    """How many were answered, and the first answer that is something else."""
    for number, answer in enumerate(answers):
        if status(answer) != 200:
            return number, answer
    raise AssertionError("nobody was refused")


class TestSlowClients:
    async def test_half_a_thousand_of_them_end_with_408_and_everybody_else_is_answered(
        self, replicas: Sequence[Service], tmp_path: Path
    ) -> None:
        """Half send a head that does not end, half a body. Fifty more ask for all zipcodes and do not read them yet."""
        before = [lookups(each) for each in replicas]
        ports = [each.port for each in replicas]
        with HAProxyServer(tmp_path, ports, http_request="2s", body="2s") as proxy:
            readers = [await connected(proxy.port, ASK.replace(b"/9000", b"")) for _ in range(50)]
            slow = [await connected(proxy.port, begun) for begun in (SLOW_HEAD, SLOW_BODY) for _ in range(250)]
            ends = [asyncio.create_task(each.read()) for each, _ in slow]
            others = []
            while not all(end.done() for end in ends):
                reader, writer = await connected(proxy.port, ASK)
                others.append(status(await reader.read()))
                await closed(writer)
            assert set(others) == {200}
            assert {status(end.result()) for end in ends} == {408}
            expect_problem(ends[-1].result(), "belref:requestTimeout")
            assert {status(await reader.read()) for reader, _ in readers} == {200}
            for _, writer in (*slow, *readers):
                await closed(writer)
        assert [lookups(each) for each in replicas] == before, "a replica was told of a body that had not come"


async def connected(port: int, begun: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which this was sent; of an answer little is taken until it is read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(begun)
    return reader, writer


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):  # the other side has closed it first
        await writer.wait_closed()


def lookups(service: Service) -> list[str]:
    """What a replica has counted of requests with a body."""
    return [line for line in service.client.get("/metrics").text.splitlines() if LOOKUP in line and "_total{" in line]


class TestReplicas:
    def test_what_a_dying_replica_holds_is_answered_by_another_one_unless_it_may_not_be_repeated(
        self, tmp_path: Path
    ) -> None:
        with (
            running_services([tmp_path / "one", tmp_path / "other"], **SNAPSHOT) as (dying, other),
            # Nobody but a request finds out that a replica is frozen, however slow this machine is.
            HAProxyServer(tmp_path, [dying.port, other.port], checks="60s", server="60s") as proxy,
            ThreadPoolExecutor() as pool,
        ):
            dying.freeze()
            posts = [pool.submit(told, proxy.port, POST + b"\r\n" + BODY) for _ in range(2)]
            wait_until(lambda: any(each.done() for each in posts) or None, "the other one's answer to a POST")
            gets = [pool.submit(told, proxy.port, ASK) for _ in range(4)]
            wait_until(lambda: sum(each.done() for each in gets) == 2 or None, "the other one's answers to a GET")
            dying.process.kill()
            lost, answered = sorted((each.result() for each in posts), key=status, reverse=True)
            assert (status(lost), status(answered)) == (502, 200)
            expect_problem(lost, "belref:badGateway")
            assert [status(each.result()) for each in gets] == [200] * 4
            assert [status(told(proxy.port, ASK)) for _ in range(10)] == [200] * 10
            repeated = [line["retries"].lstrip("+") for line in proxy.lines() if line["status"] == 200]
            assert repeated
            assert "0" not in repeated

            other.process.kill()
            other.process.wait()
            down = wait_until(lambda: none_left(told(proxy.port, ASK)), "the proxy to see that nobody is left")
            assert expect_problem(down, "belgif:serviceUnavailable")["retry-after"] == "5"


def none_left(answer: bytes) -> bytes | None:
    """An answer that says so. On a connection to a replica that has just died, there may be no answer at all."""
    return answer if answer and status(answer) == 503 else None


@contextmanager
def overloaded_replica() -> Iterator[int]:
    """The port of what lives, and answers that it has no time."""

    class Overloaded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health/live" else 503)
            self.send_header("Retry-After", "17")
            self.end_headers()
            self.wfile.write(b"later")

        def log_message(self, *_: object) -> None:
            """Not here."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Overloaded) as server, ThreadPoolExecutor() as pool:
        pool.submit(server.serve_forever, 0.01)
        try:
            yield server.server_port
        finally:
            server.shutdown()
