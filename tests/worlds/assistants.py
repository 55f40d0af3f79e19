"""Assistants that ask the tools, in process and by the package's own client."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mcp import Client
from mcp.types import CallToolResult, TextContent

DOCS = Path(__file__).parents[2] / "docs"
_ASKED = re.compile(r"`GET (/v1/(?:rent-)?indexations\?[^`]+)`")


class Assistant:
    """Somebody who asks tools and reads what they say."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """Whatever comes of it; `from_` stands for `from`, which Python keeps for itself."""
        return await self.client.call_tool(tool, {name.rstrip("_"): value for name, value in arguments.items()})

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer of a good question; its text says the same source, address and line."""
        result = await self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        found: dict[str, Any] = result.structured_content
        for said in (found["source"], found["permalink"], found["cite"]):
            assert said in text_of(result)
        return found

    async def refused(self, tool: str, **arguments: Any) -> str:
        """What an assistant is told whose question is refused."""
        result = await self.call(tool, **arguments)
        assert result.is_error
        assert result.structured_content is None
        return text_of(result)


@asynccontextmanager
async def assistant(server: Any) -> AsyncIterator[Assistant]:
    """Somebody at a server: one in process, an address, or a command to run."""
    async with Client(server) as client:
        yield Assistant(client)


def text_of(result: CallToolResult) -> str:
    """The text of an answer."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def worked_examples(page: str) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    """The questions about amounts and rents in the tables of a page: tool, arguments and the cells of the row."""
    for line in (DOCS / page).read_text("utf-8").splitlines():
        if line.startswith("|") and (asked := _ASKED.search(line)):
            url = urlsplit(asked[1])
            tool = "indexed_rent" if "rent" in url.path else "indexed_amount"
            yield tool, dict(parse_qsl(url.query)), [cell.strip() for cell in line.strip("|").split(" | ")]
