"""Bare ASGI that sends fixed bytes: what uvicorn can do at most.

No routing, no reading of the request, no work of any kind: one answer, recorded from the service beforehand, is sent
again with the same status, headers and body. Only where a scenario mixes requests is the answer looked up, by path and
query, in a dictionary. A body of the request is received, as any application has to.
"""

import base64
from collections.abc import Mapping
from typing import Any

from litestar.types import Message, Receive, Scope, Send

Sent = tuple[Message, Message]


class Bare:
    """Has the recordings of every scenario, and sends those of the one that it was told to."""

    def __init__(self, scenarios: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Of each scenario: answers by path and query, as JSON holds them."""
        self._scenarios = {
            name: {target.encode(): _messages(answer) for target, answer in answers.items()}
            for name, answers in scenarios.items()
        }
        self._choice: dict[bytes, Sent] = {}
        self._start: Message | None = None
        self._body: Message | None = None

    def play(self, scenario: str) -> None:
        """Send the answers of this scenario from now on.

        :raises KeyError: for one that has no recordings
        """
        self._choice = answers = self._scenarios[scenario]
        if len(answers) == 1:
            ((self._start, self._body),) = answers.values()
        else:
            self._start = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = self._start, self._body
        if scope["method"] == "POST":  # type: ignore[typeddict-item]  # nothing but HTTP comes here
            while (await receive()).get("more_body"):
                pass
        if start is None or body is None:
            start, body = self._choice[_target(scope)]
        await send(start)
        await send(body)


def _target(scope: Any) -> bytes:
    query: bytes = scope["query_string"]
    path: bytes = scope["raw_path"]
    return path + b"?" + query if query else path


def _messages(answer: Mapping[str, Any]) -> Sent:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer["headers"]]
    return (
        {"type": "http.response.start", "status": answer["status"], "headers": headers},
        {"type": "http.response.body", "body": base64.b64decode(answer["body"]), "more_body": False},
    )
