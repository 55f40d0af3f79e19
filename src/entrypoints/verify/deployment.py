"""A belref service somewhere else, asked over HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; the largest answer of the service has less than a fiftieth of it."""


class UnreachableError(Exception):
    """Nothing that speaks HTTP answers there; the message says where and why."""


class NotAsPromisedError(Exception):
    """An answer breaks the contract; the message says which answer, and how."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its body decompressed, its headers under names in any case."""

    method: str
    target: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The body as JSON, with exact decimals.

        :raises NotAsPromisedError: for a body that is no JSON
        """
        try:
            return json.loads(self.content, parse_float=Decimal)
        except ValueError as error:
            raise NotAsPromisedError(f"{self}: the body is not JSON") from error

    def header(self, name: str) -> str:
        """A header, or nothing."""
        return self.headers.get(name, "")

    def directives(self, name: str) -> set[str]:
        """The parts of a header that is a list."""
        return {part.strip().lower() for part in self.header(name).split(",") if part.strip()}

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class Deployment:
    """Asks one service; every answer is whole before it is looked at."""

    def __init__(self, url: str, *, timeout: float = 10.0, transport: httpx2.BaseTransport | None = None) -> None:
        """`timeout` is in seconds, for each step of a request; `transport` takes the place of the network."""
        self.url = url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.url, timeout=timeout, transport=transport, headers={"User-Agent": "belref-verify"}
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, target: str, **headers: str) -> Reply:
        """Ask with GET; the names of headers are written with underscores."""
        return self.ask("GET", target, headers)

    def post(self, target: str, body: object) -> Reply:
        """Send JSON."""
        content = json.dumps(body).encode()
        return self.ask("POST", target, {"Content-Type": "application/json"}, content)

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Reply:
        """Ask anything.

        :raises UnreachableError: when no answer comes
        :raises NotAsPromisedError: for an answer that is larger than any of the service's
        """
        named = {"Accept": "application/json"} | {k.replace("_", "-"): v for k, v in (headers or {}).items()}
        try:
            with self._client.stream(method, target, headers=named, content=content) as response:
                pieces, size = [], 0
                for piece in response.iter_bytes():
                    size += len(piece)
                    if size > LARGEST_ANSWER:
                        raise NotAsPromisedError(f"{method} {target}: more than {LARGEST_ANSWER // 2**20} MiB")
                    pieces.append(piece)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise UnreachableError(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        return Reply(method, target, response.status_code, response.headers, b"".join(pieces))
