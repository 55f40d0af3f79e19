"""The six tools: what each is called, takes and answers, and how a call of one ends."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from entrypoints.mcp.answers import (
    AmountAnswer,
    Answer,
    ClaimAnswer,
    FreshnessAnswer,
    IndexAnswer,
    RentAnswer,
    ZipcodeAnswer,
)
from entrypoints.mcp.api import Belref, BelrefError
from entrypoints.mcp.arguments import (
    AmountQuestion,
    Arguments,
    ClaimQuestion,
    FreshnessQuestion,
    IndexQuestion,
    RentQuestion,
    ZipcodeQuestion,
    input_schema,
    schema_of,
    what_is_wrong,
)
from entrypoints.mcp.claims import check_figure
from entrypoints.mcp.questions import freshness, health_index, indexed_amount, indexed_rent, zipcode

INSTRUCTIONS = (
    "Belgian health index (Statbel), amounts and rents indexed by it, and risk factors of zipcodes. Give the figures "
    "as they stand and do not compute them yourself; cite the line `cite`. An error says what would be right."
)

log = logging.getLogger("belref.mcp")


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool. `ask` takes an instance of `arguments` and gives one of `answer`."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: type[Answer]
    ask: Callable[[Belref, Any], Awaitable[Answer]]

    def listed(self) -> Tool:
        """The tool as clients are told of it."""
        return Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=input_schema(self.arguments),
            output_schema=schema_of(self.answer),
            annotations=ToolAnnotations(
                read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
            ),
        )


OFFERS = (
    Offer(
        "health_index",
        "Health index",
        "The Belgian health index, and its smoothed form: of the latest month, of one month, or a short series in one "
        "base year. Says whether each figure is published by Statbel, derived or estimated.",
        IndexQuestion,
        IndexAnswer,
        health_index,
    ),
    Offer(
        "indexed_amount",
        "Indexed amount",
        "Indexes an amount of euro (wage, pension, premium, alimony) from one month to another, to the cent, with the "
        "calculation. For the rent of a home use indexed_rent, which knows the law.",
        AmountQuestion,
        AmountAnswer,
        indexed_amount,
    ),
    Offer(
        "indexed_rent",
        "Indexed rent",
        "What the lease of a main residence may ask from its latest anniversary on: by the index, and by the laws of "
        "Brussels, Flanders, Wallonia and the German-speaking Community on energy labels, with every step and source. "
        "Needs region or zipcode; ask for the energy label if the user has not said it.",
        RentQuestion,
        RentAnswer,
        indexed_rent,
    ),
    Offer(
        "zipcode",
        "Zipcode",
        "The risk factor of a Belgian zipcode (A, B, C or none), its municipalities and its region.",
        ZipcodeQuestion,
        ZipcodeAnswer,
        zipcode,
    ),
    Offer(
        "freshness",
        "Freshness",
        "How current the figures and the risk table are: the latest month, months that are missing, the day of the "
        "next publication, and the release of the table.",
        FreshnessQuestion,
        FreshnessAnswer,
        freshness,
    ),
    Offer(
        "check_figure",
        "Check a claimed figure",
        "Whether a figure that somebody claims is right: an index, an indexed amount or a rent (give exactly one of "
        "index, amount and rent). Answers right or wrong, the correct figure, the difference, and which slip leads to "
        "the claim: another base year, month, index, label, region or rounding.",
        ClaimQuestion,
        ClaimAnswer,
        check_figure,
    ),
)


async def call(belref: Belref, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """Ask a tool. What goes wrong is an answer too, in words that say what would be right."""
    offer = next((each for each in OFFERS if each.name == name), None)
    if offer is None:
        return _failed(f"There is no tool {name[:60]!r}: there are {', '.join(each.name for each in OFFERS)}")
    try:
        asked = offer.arguments.model_validate(arguments)
    except ValidationError as error:
        return _failed(what_is_wrong(offer.arguments, error))
    try:
        answer = await offer.ask(belref, asked)
    except BelrefError as error:
        return _failed(str(error))
    except Exception:
        log.exception("the tool %s failed", offer.name)
        return _failed("This tool failed, through no fault of the question. Its log says why; no figure can be given.")
    return CallToolResult(
        content=[TextContent(type="text", text=answer.text())],
        structured_content=answer.model_dump(mode="json", exclude_none=True),
    )


def make_server(belref: Belref) -> Server[Any]:
    """The six tools over one service."""

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return _listed()

    async def call_tool(_: ServerRequestContext[Any], asked: CallToolRequestParams) -> CallToolResult:
        return await call(belref, asked.name, asked.arguments or {})

    return Server(
        "belref",
        title="belref: Belgian health index",
        version=version("belref"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


@cache
def _listed() -> ListToolsResult:
    return ListToolsResult(tools=[each.listed() for each in OFFERS])


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=message)], is_error=True)
