"""Names of schemas: the framework calls one of a generic type after the modules of its parts."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from litestar.openapi.spec import OpenAPI, Reference

_OF_PARTS = re.compile(r"(?P<whole>[A-Za-z]+)_(?:[a-z_0-9]+\.)*(?P<part>[A-Za-z]+?)(?:Body|Item)?_")
_PREFIX = "#/components/schemas/"


def name_schemas(document: OpenAPI) -> None:
    """Call `Outcome_entrypoints.http...IndexationBody_` IndexationOutcome, wherever it is referred to."""
    schemas = document.components.schemas or {}
    names = {name: _name(name) for name in schemas}
    if len(set(names.values())) < len(names):
        raise ValueError(f"two schemas would have one name: {sorted(names.values())}")
    for name, schema in schemas.items():
        if schema.title is not None:
            schema.title = names[name]
    _rename(document, names)
    document.components.schemas = {names[name]: schema for name, schema in schemas.items()}


def _name(given: str) -> str:
    found = _OF_PARTS.fullmatch(given)
    return given if found is None else found["part"] + found["whole"]


def _rename(value: Any, names: Mapping[str, str]) -> None:
    if isinstance(value, Reference):
        value.ref = _PREFIX + names.get(value.value, value.value)
    elif is_dataclass(value):
        for field in fields(value):
            _rename(getattr(value, field.name), names)
    elif isinstance(value, Mapping):
        for each in value.values():
            _rename(each, names)
    elif isinstance(value, list | tuple):
        for each in value:
            _rename(each, names)
