"""A real server on this machine that plays Statbel, in good health and in all the bad moods that were seen."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum, auto
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

from tests.worlds.statbel_files import archive, table, view

from domain.health_index.figures import Figure

OPEN_DATA = "/opendata/CPI%20All%20base%20years.zip"
VIEW = "/bestat/api/views/1/result/JSON"


class Manner(StrEnum):
    """How an answer is given: whole; half, then hung up; not at all; a byte now and then, without an end."""

    WHOLE = auto()
    HALF = auto()
    SILENT = auto()
    TRICKLE = auto()


@dataclass(frozen=True)
class Answer:
    """What is said to one request. With an `ETag` among the headers, whoever has that already is told so by a 304."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE


HTML = Answer(b"<!DOCTYPE html><html>Are you a human visitor?</html>", headers={"Content-Type": "text/html"})
UNAVAILABLE = Answer(status=503, headers={"Retry-After": "0"})


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    """By name in lower case."""


class StatbelServer:
    """Listens on a free port of this machine while its context is open."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        """All that was asked, in order."""
        self.closing = Event()
        self._answers: dict[str, list[Answer]] = {}

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # so that closing waits for every answer under way
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def open_data_url(self) -> str:
        return self.url + OPEN_DATA

    @property
    def view_url(self) -> str:
        return self.url + VIEW

    def answer(self, path: str, *answers: Answer) -> None:
        """Say from now on what is answered there, one after the other, the last one again and again."""
        self._answers[path] = list(answers)

    def publish(self, figures: Sequence[Figure]) -> None:
        """Put these figures into the open data and into the view."""
        for path, body in ((OPEN_DATA, archive(table(figures))), (VIEW, view(figures))):
            self.answer(path, Answer(body, headers={"ETag": f'"{sha256(body).hexdigest()[:16]}"'}))

    def take(self, path: str) -> Answer:
        """The answer whose turn it is; where nothing was said, 404."""
        answers = self._answers.get(path, [Answer(status=404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        statbel = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_GET(self) -> None:
                self.close_connection = True
                headers = {name.lower(): value for name, value in self.headers.items()}
                statbel.requests.append(Request(self.path, headers))
                answer = statbel.take(self.path)
                if answer.manner is Manner.SILENT:
                    statbel.closing.wait()
                    return
                tag = answer.headers.get("ETag")
                if tag is not None and headers.get("if-none-match") == tag:
                    answer = Answer(status=304, headers=answer.headers)
                with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has given up
                    self._give(answer)

            def _give(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.manner is not Manner.TRICKLE:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body[: len(answer.body) // 2] if answer.manner is Manner.HALF else answer.body)
                while answer.manner is Manner.TRICKLE and not statbel.closing.wait(0.01):
                    self.wfile.write(b".")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                """Say nothing on the test run's output."""

        return Handler
