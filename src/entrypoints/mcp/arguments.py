"""What the tools take: the parameters of the HTTP API, under the same names."""

from collections.abc import Mapping
from datetime import date
from numbers import Real
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

MOST_MONTHS = 60
"""How long a series may be: what a model reads is paid for by the word."""

_LONGEST_ECHO = 60


def as_written(value: object) -> object:
    """A JSON number as the digits that were written; it has them all as long as there are no more than 15."""
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, Real) else value


def _real_day(text: str) -> str:
    if len(text) > len("2019-08"):
        date.fromisoformat(text)
    return text


_YEAR_MONTH = "[0-9]{4}-(?:0[1-9]|1[0-2])"
_EUROS, _ZIPCODE = r"^[0-9]{1,10}(?:\.[0-9]{1,2})?$", "^[0-9]{4}$"
Month = Annotated[str, StringConstraints(pattern=f"^{_YEAR_MONTH}$")]
Day = Annotated[str, StringConstraints(pattern=f"^{_YEAR_MONTH}-[0-3][0-9]$"), AfterValidator(_real_day)]
MonthOrDay = Annotated[str, StringConstraints(pattern=f"^{_YEAR_MONTH}(?:-[0-3][0-9])?$"), AfterValidator(_real_day)]
Zipcode = Annotated[
    str,
    BeforeValidator(as_written),
    StringConstraints(pattern=_ZIPCODE),
    WithJsonSchema({"type": ["string", "integer"], "pattern": _ZIPCODE}),
]
Amount = Annotated[
    str,
    BeforeValidator(as_written),
    StringConstraints(pattern=_EUROS),
    WithJsonSchema({"type": ["string", "number"], "pattern": _EUROS}),
]
BaseYear = Annotated[int, Field(ge=1900, le=2999)]
Kind = Literal["health", "smoothed"]
Region = Literal["brussels", "flanders", "wallonia", "german-speaking-community"]
Label = Literal["A++", "A+", "A", "B", "C", "D", "E", "F", "G", "none"]

_EURO = "Euro, digits with a point before the cents, such as 1023.47; a string keeps every digit"


class Arguments(BaseModel):
    """What a tool takes. A name that it does not know is refused: a typo must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class IndexQuestion(Arguments):
    month: Annotated[Month | None, Field(description="YYYY-MM, from 1994-01; left out: the latest")] = None
    to: Annotated[
        Month | None, Field(description=f"YYYY-MM: last month of a series of at most {MOST_MONTHS} that month begins")
    ] = None
    base_year: Annotated[
        BaseYear | None,
        Field(description="The year whose average is 100: 2025, 2013, 2004, 1996 or 1988; left out: all"),
    ] = None


class AmountQuestion(Arguments):
    amount: Annotated[Amount, Field(description=_EURO)]
    start: Annotated[
        MonthOrDay, Field(alias="from", description="Starting month YYYY-MM, or a day in it: when the amount held")
    ]
    end: Annotated[
        MonthOrDay | None,
        Field(alias="to", description="Month of the new index YYYY-MM, or a day in it; left out: the latest"),
    ] = None
    base_year: Annotated[
        BaseYear | None, Field(description="As a contract names it; left out: the one in force in the starting month")
    ] = None
    index: Annotated[
        Kind, Field(description="smoothed (mean of four months) for wages and pensions, as their rules say")
    ] = "health"


class RentQuestion(Arguments):
    rent: Annotated[Amount, Field(description=f"Base rent of the contract, without charges. {_EURO}")]
    signed_on: Annotated[Day, Field(description="Day of the signature, YYYY-MM-DD")]
    starts_on: Annotated[Day, Field(description="Day of the entry into force, YYYY-MM-DD")]
    region: Annotated[Region | None, Field(description="Where the home lies; or give its zipcode")] = None
    zipcode: Annotated[Zipcode | None, Field(description="Of the home, in place of region; four digits")] = None
    energy_label: Annotated[
        Label | None, Field(description="Of the energy certificate (EPC, PEB); none: there is no certificate")
    ] = None
    on: Annotated[
        Day | None, Field(description="The latest anniversary not after this day counts; left out: today")
    ] = None
    rent_before: Annotated[
        Amount | None,
        Field(description="Flanders, anniversary from 2022-10-01 to 2023-09-30 only: rent really paid before it"),
    ] = None


class ZipcodeQuestion(Arguments):
    zipcode: Annotated[Zipcode, Field(description="Four digits, such as 9000")]


class FreshnessQuestion(Arguments):
    pass


class IndexClaim(Arguments):
    month: Annotated[Month, Field(description="YYYY-MM")]
    base_year: Annotated[BaseYear | None, Field(description="Of the claim; left out: any will do")] = None
    index: Kind = "health"


class ClaimQuestion(Arguments):
    claimed: Annotated[
        Amount, Field(description="The figure that somebody claims: digits with a point, such as 1023.47 or 133.91")
    ]
    index: Annotated[IndexClaim | None, Field(description="If it is an index: of which month")] = None
    amount: Annotated[AmountQuestion | None, Field(description="If it is an indexed amount: as for indexed_amount")] = (
        None
    )
    rent: Annotated[RentQuestion | None, Field(description="If it is a rent: as for indexed_rent")] = None


class _Schema(GenerateJsonSchema):
    """A short schema: no titles, and what may be left out is not null."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - none should
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {name: value for name, value in found.items() if (name, value) != ("default", None)}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model, without references, which not every client follows."""
    schema = model.model_json_schema(schema_generator=_Schema)
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inlined(schema, definitions)
    return inlined


def input_schema(model: type[Arguments]) -> dict[str, Any]:
    """The schema of arguments. What a field within a field means is said by the tool that has it as its own."""
    schema = schema_of(model)
    for field in schema.get("properties", {}).values():
        for inner in field.get("properties", {}).values():
            inner.pop("description", None)
            inner.pop("pattern", None)
    return schema


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _inlined(value, definitions) for name, value in schema.items() if name not in {"$ref", "title"}}
    if "$ref" in schema:
        found = _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions) | found
    return found


def what_is_wrong(model: type[Arguments], error: ValidationError) -> str:
    """Each wrong argument, what was given, and what would be right."""
    known = schema_of(model).get("properties", {})
    return "\n".join(_wrong(each, known) for each in error.errors(include_url=False))


def _wrong(error: Any, known: Mapping[str, Any]) -> str:
    name, kind = ".".join(map(str, error["loc"])), error["type"]
    if kind == "extra_forbidden":
        return f"{name} is no argument of this tool: it takes {', '.join(known) or 'none'}"
    field = known.get(str(error["loc"][0]), {})
    right = field.get("properties", {}).get(str(error["loc"][-1]), field) if len(error["loc"]) > 1 else field
    hints = "; ".join(filter(None, [right.get("description"), _allowed(right)]))
    if kind == "missing":
        return f"{name} is missing: {hints}"
    return f"{name} is wrong, given {str(error['input'])[:_LONGEST_ECHO]!r}: {hints}"


def _allowed(schema: Mapping[str, Any]) -> str | None:
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    return None if "description" in schema else schema.get("type")
