"""Connections to the service as a process: slow ones, many, half-closed ones, and the end of the service."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.processes import resident
from tests.integration.service import Service, running_service, wait_until

SNAPSHOT = {"HEALTH_INDEX_SOURCE": "snapshot"}
HOT = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /v1/zipcodes/9000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LARGE = b"GET /v1/zipcodes HTTP/1.1\r\nHost: a\r\n\r\n"
MADE_ANEW = b"GET /v1/indexations?amount=100&from=2010-06&to=2019-08 HTTP/1.1\r\nHost: a\r\n\r\n"
_MOST_MORE = 40 * 1024 * 1024  # bytes that an attack may add to the memory of the process


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, **SNAPSHOT) as service:
        for request in (LAST, LARGE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")):
            with connect(service) as connection:
                connection.sendall(request)
                read_all(connection)
        yield service


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), 20)


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def read_answer(connection: socket.socket) -> bytes:
    """One answer with a body as long as it says."""
    read = b""
    while b"\r\n\r\n" not in read:
        piece = connection.recv(1 << 16)
        if not piece:
            return read
        read += piece
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def test_kept_and_made_answers_come_in_the_order_of_their_requests(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall((HOT + MADE_ANEW) * 100 + LAST)
        text = read_all(connection)
    marks = (b'"zipcode":9000', b'"indexed":')
    found = sorted((text.find(mark, at), mark) for mark in marks for at in _places(text, mark))
    assert [mark for _, mark in found] == [*marks * 100, marks[0]]


def _places(text: bytes, mark: bytes) -> Iterator[int]:
    at = text.find(mark)
    while at >= 0:
        yield at
        at = text.find(mark, at + 1)


def test_a_client_that_says_no_more_has_all_its_answers(service: Service) -> None:
    with connect(service) as connection:
        connection.sendall(HOT + MADE_ANEW + HOT)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).count(b"HTTP/1.1 200 OK\r\n") == 3


def test_a_slow_reader_of_large_answers_gets_them_whole_and_fills_no_memory(service: Service) -> None:
    before = resident(service.process.pid)
    with connect(service) as connection:
        connection.sendall(LARGE * 200 + LAST)
        service.client.get("/v1/zipcodes/9000")
        assert resident(service.process.pid) - before < _MOST_MORE
        text = read_all(connection)
    assert text.count(b"HTTP/1.1 200 OK\r\n") == 201


def test_a_thousand_connections_are_served_at_once(tmp_path: Path) -> None:
    with running_service(tmp_path, **SNAPSHOT) as service:
        connections = [connect(service) for _ in range(900)]
        try:
            for connection in connections:
                connection.sendall(HOT)
            assert all(read_answer(connection).startswith(b"HTTP/1.1 200") for connection in connections)
        finally:
            for connection in connections:
                connection.close()


def test_beyond_the_limit_the_oldest_idle_connection_goes(tmp_path: Path) -> None:
    with running_service(tmp_path, **SNAPSHOT, MAX_CONNECTIONS="5") as service:
        connections = [connect(service) for _ in range(8)]
        try:
            connections[-1].sendall(HOT)
            assert read_answer(connections[-1]).startswith(b"HTTP/1.1 200")
            assert connections[0].recv(1) == b""
        finally:
            for connection in connections:
                connection.close()


def test_who_says_nothing_is_let_go(tmp_path: Path) -> None:
    with running_service(tmp_path, **SNAPSHOT, HEADER_SECONDS="1") as service, connect(service) as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("begin", "again", "status"),
    [
        (b"GET / HTTP/1.1\r\nA: ", b"a" * 65_536, b"431"),
        (b"GET /", b"a" * 65_536, b"414"),
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 10_000, b"431"),
    ],
)
def test_a_head_without_end_is_refused_and_fills_no_memory(
    service: Service, begin: bytes, again: bytes, status: bytes
) -> None:
    before = resident(service.process.pid)
    with connect(service) as connection:
        connection.sendall(begin)
        connection.sendall(again)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 " + status)
    for _ in range(50):
        with connect(service) as connection:
            connection.sendall(begin + again)
    assert resident(service.process.pid) - before < _MOST_MORE
    assert service.client.get("/v1/zipcodes/9000").status_code == 200


@pytest.mark.parametrize("request_", [HOT, MADE_ANEW, LARGE])
def test_requests_without_reading_fill_no_memory_and_others_are_answered(service: Service, request_: bytes) -> None:
    before = resident(service.process.pid)
    connections = [connect(service) for _ in range(50)]
    try:
        for connection in connections:
            connection.setblocking(False)
            for _ in range(20):
                try:
                    connection.send(request_ * 500)
                except BlockingIOError:
                    break
        for _ in range(20):
            assert service.client.get("/v1/zipcodes/9000").status_code == 200
        assert resident(service.process.pid) - before < _MOST_MORE
    finally:
        for connection in connections:
            connection.close()


class TestEnd:
    def test_no_request_of_a_busy_client_goes_unanswered(self, service: Service) -> None:
        answered, lost = [0] * 8, [0] * 8
        ready = threading.Barrier(9)

        def ask(number: int) -> None:
            with connect(service) as connection:
                connection.sendall(HOT)
                answer = read_answer(connection)
                ready.wait()
                while b"\r\nconnection: close\r\n" not in answer:
                    connection.sendall(HOT)
                    answer = read_answer(connection)
                    if not answer:
                        lost[number] += 1
                        return
                    answered[number] += 1

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        ready.wait()
        wait_until(lambda: min(answered) > 20 or None, "everybody to be busy")
        assert service.terminate() == 0
        for thread in threads:
            thread.join()
        assert lost == [0] * 8

    def test_an_idle_client_that_asks_at_that_moment_has_its_answer(self, service: Service) -> None:
        with connect(service) as connection:
            connection.sendall(HOT)
            read_answer(connection)
            stopped = threading.Thread(target=service.terminate)
            stopped.start()
            service.wait_for_line("Shutting down")
            connection.sendall(HOT)
            assert b"\r\nconnection: close\r\n" in read_answer(connection)
            stopped.join()
        assert service.process.returncode == 0

    def test_a_body_that_never_ends_does_not_delay_it_beyond_its_time_out(self, tmp_path: Path) -> None:
        settings = {**SNAPSHOT, "BODY_SECONDS": "1", "SHUTDOWN_SECONDS": "300"}
        with running_service(tmp_path, **settings) as service, connect(service) as connection:
            head = b"POST /v1/zipcodes/lookup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            connection.sendall(head + b"Content-Length: 1000\r\n\r\n{")
            service.client.get("/health/live")
            assert service.terminate() == 0
            assert read_all(connection).startswith(b"HTTP/1.1 408 ")
        assert "Traceback" not in service.text()
