"""Answers of a running server, to compare them and to send them again."""

import http.client
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks.load import Request

_THE_SERVERS_OWN = {"date", "server", "connection", "keep-alive"}  # written by uvicorn, whatever the application says
_PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What an application said; headers in its order, without those of the server itself."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, given in lower case."""
        return next((value for each, value in self.headers if each == name), None)


def ask(port: int, requests: Iterable[Request]) -> Iterator[Answer]:
    """Send requests one after the other, on one connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        for request in requests:
            connection.putrequest(request.method, request.path, skip_accept_encoding=True)
            for name, value in request.all_headers().items():
                connection.putheader(name, value)
            connection.endheaders(request.body.encode() or None)
            response = connection.getresponse()
            headers = [(name.lower(), value) for name, value in response.getheaders()]
            kept = [(name, value) for name, value in headers if name not in _THE_SERVERS_OWN]
            yield Answer(response.status, kept, response.read())


def ask_one(port: int, request: Request) -> Answer:
    """Send one request."""
    (answer,) = ask(port, [request])
    return answer
