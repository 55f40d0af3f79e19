"""What the page on tools shows is what is answered."""

import json
import re

from tests.worlds.assistants import DOCS, Assistant, text_of

from entrypoints.mcp.arguments import MOST_MONTHS
from entrypoints.mcp.tools import OFFERS

PAGE = (DOCS / "mcp.md").read_text("utf-8")
_TOOL = re.compile(r"^### `(\w+)`$(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(r"```json\n(.*?)\n```\n\n```text\n(.*?)\n```", re.DOTALL)


async def test_every_example_is_answered_so(tools: Assistant) -> None:
    sections = _TOOL.findall(PAGE)
    assert [name for name, _ in sections] == [offer.name for offer in OFFERS]
    for name, section in sections:
        examples = _EXAMPLE.findall(section)
        assert examples
        for arguments, answer in examples:
            assert text_of(await tools.call(name, **json.loads(arguments))) == answer


def test_the_longest_series_is_that_of_the_page() -> None:
    assert f"| a series | {MOST_MONTHS} months |" in PAGE
