"""A belref somewhere, asked over HTTP: all that the MCP server knows of it is its API."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import httpx2
from pydantic import BaseModel, ValidationError

LARGEST_ANSWER = 1024 * 1024
"""Bytes; the largest answer that a tool asks for has less than a tenth of it."""

Body = TypeVar("Body", bound=BaseModel)
Question = Mapping[str, str | int | None]


class BelrefError(Exception):
    """No figure came; the message says why, in words that a model can act upon."""


class RefusedError(BelrefError):
    """Belref refused the question. `kind` is the last part of the problem's type, such as `noRiskFactor`."""

    def __init__(self, message: str, kind: str, problem: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.kind, self.problem = kind, problem


class UnavailableError(BelrefError):
    """Nobody answers, or not now: the same question may be asked again later."""


class NotNowError(UnavailableError):
    """Belref itself says that it cannot answer now."""


class NotBelrefError(BelrefError):
    """What answers there does not answer as belref does."""


class _Issue(BaseModel):
    name: str
    detail: str
    value: str | None = None


class _Problem(BaseModel):
    type: str
    detail: str
    issues: list[_Issue] = []
    next_publication: str | None = None


class Outcome(BaseModel):
    """One case of a batch: what it came to, or nothing where it is a problem."""

    result: dict[str, Any] | None = None


class _Outcomes(BaseModel):
    items: list[Outcome]


class Belref:
    """Asks one service, with one time-out for a whole answer."""

    def __init__(self, url: str, *, timeout: float = 10.0, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """`timeout` is in seconds; `transport` takes the place of the network. `url` may carry a name and a password:
        they are sent, and never shown.
        """
        given = httpx2.URL(url)
        bare = given.copy_with(userinfo=b"")  # the client logs the addresses that it asks
        self.url = str(bare).rstrip("/")
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            base_url=bare,
            auth=(given.username, given.password) if given.userinfo else None,
            timeout=timeout,
            transport=transport,
            headers={"User-Agent": "belref-mcp", "Accept": "application/json"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def link(self, path: str, **question: str | int | None) -> str:
        """The address at which anybody can ask the same again."""
        query = urlencode(_given(question), safe=":")
        return f"{self.url}{path}?{query}" if query else f"{self.url}{path}"

    async def get(self, body: type[Body], path: str, question: Question | None = None) -> Body:
        """What a route answers; what is None is not asked.

        :raises BelrefError: when there is no such answer
        """
        return self.read(body, await self._ask("GET", path, params=_given(question or {})))

    async def post(self, path: str, cases: list[Question]) -> list[Outcome]:
        """What a batch of cases comes to, in their order.

        :raises BelrefError: when the batch as a whole is not answered
        """
        items = [_given(case) for case in cases]
        found = self.read(_Outcomes, await self._ask("POST", path, json={"items": items})).items
        if len(found) != len(items):
            raise self._strange(f"{len(found)} results for {len(items)} cases")
        return found

    async def _ask(self, method: str, path: str, **sent: Any) -> Any:
        try:
            async with asyncio.timeout(self._timeout), self._client.stream(method, path, **sent) as response:
                content = b""
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > LARGEST_ANSWER:
                        raise self._strange(f"more than {LARGEST_ANSWER // 1024} KiB")
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise UnavailableError(
                f"belref at {self.url} did not answer within {self._timeout:g} seconds. Nothing is wrong with the "
                "question: ask again later."
            ) from error
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise UnavailableError(
                f"belref at {self.url} does not answer ({reason}). Nothing is wrong with the question: ask again "
                "later, or let the operator see whether `belref serve` runs there and BELREF_URL names it."
            ) from error
        except httpx2.DecodingError as error:
            raise self._strange("a body that cannot be unpacked") from error
        try:
            body = json.loads(content, parse_float=str)  # digits as they are written: no number is made of them
        except (ValueError, RecursionError) as error:
            raise self._strange(f"status {response.status_code}, and no JSON") from error
        if response.is_success:
            return body
        raise self._refusal(response, body)

    def _refusal(self, response: httpx2.Response, body: Any) -> BelrefError:
        try:
            problem = _Problem.model_validate(body)
        except ValidationError:
            return self._strange(f"status {response.status_code}, and no problem that explains it")
        if response.is_server_error or response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            after = response.headers.get("Retry-After", "")
            later = f"in {after} seconds" if after.isdigit() else "later"
            return NotNowError(f"belref at {self.url} cannot answer now: {problem.detail}. Ask again {later}.")
        named = [
            f"parameter {each.name}" + (f", given {each.value!r}" if each.value else "") for each in problem.issues
        ]
        kind = problem.type.rpartition(":")[2]
        return RefusedError(f"{problem.detail} ({'; '.join([*named, kind])})", kind, body)

    def read(self, model: type[Body], body: Any) -> Body:
        try:
            return model.model_validate(body)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise self._strange(f"{where} is not as promised") from error

    def _strange(self, what: str) -> NotBelrefError:
        return NotBelrefError(
            f"What answers at {self.url} does not answer as belref does: {what}. No figure can be given; let the "
            "operator see whether BELREF_URL names a belref of this version."
        )


def _given(question: Question) -> dict[str, str | int]:
    return {name: value for name, value in question.items() if value is not None}
