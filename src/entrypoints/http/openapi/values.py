"""What the values on the wire look like, in parameters and in the bodies of batches."""

from dataclasses import replace
from typing import cast

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Reference, Schema

from domain.health_index.figures import Provenance
from domain.health_index.indexation import IndexKind
from domain.leases.certificates import EnergyLabel
from domain.leases.rent import Region
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor
from entrypoints.http.negotiation import Language

DECIMAL = cast("OpenAPIFormat", "decimal")
"""Of the OpenAPI registry of formats, which the framework's list does not have."""

_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
_OFFSET = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"


def whole_number(first: int, last: int, default: int | None = None) -> Schema:
    """Integers from `first` to `last`."""
    return Schema(type=OpenAPIType.INTEGER, minimum=first, maximum=last, default=default)


def one_of(values: type[IndexKind | Language | Region | RiskFactor], default: str | None = None) -> Schema:
    """One of the values of an enumeration."""
    return Schema(type=OpenAPIType.STRING, enum=[each.value for each in values], default=default)


def several(items: Schema) -> Schema:
    """A parameter that may be repeated."""
    return Schema(type=OpenAPIType.ARRAY, items=items)


def or_null(schema: Schema | Reference) -> Schema:
    """The same, or a null that stands for nothing."""
    choices = schema.one_of if isinstance(schema, Schema) and schema.one_of else [schema]
    return Schema(one_of=[*choices, Schema(type=OpenAPIType.NULL)])


POINTS = Schema(type=OpenAPIType.STRING, format=DECIMAL, pattern="^[0-9]{1,6}(\\.[0-9]{1,2}0*)?$")
PUBLISHED = Schema(type=OpenAPIType.STRING, enum=[Provenance.PUBLISHED.value])
MONTH = Schema(type=OpenAPIType.STRING, pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")
DATE = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE)
INSTANT = Schema(type=OpenAPIType.STRING, pattern=f"^{_DAY}(T{_TIME}{_OFFSET})?$")
BASE_YEAR = whole_number(1, 9999)
ZIPCODE = whole_number(FIRST_ZIPCODE, LAST_ZIPCODE)
RELEASE = Schema(type=OpenAPIType.STRING, pattern="^([0-9]{1,9}|[0-9]{4,}-[0-9a-f]{8})$")
LABEL = Schema(type=OpenAPIType.STRING, enum=[*(each.value for each in EnergyLabel), "A+", "A++"])
AMOUNT = Schema(type=OpenAPIType.STRING, format=DECIMAL, pattern="^(?=.*[1-9])[0-9]{1,9}(\\.[0-9]{1,2})?$")

# Without the format for the text: openapi-generator writes Python that does not run for one beside a number.
AMOUNT_IN_A_BODY = Schema(
    one_of=[
        replace(AMOUNT, format=None),
        Schema(type=OpenAPIType.NUMBER, format=DECIMAL, exclusive_minimum=0, maximum=1_000_000_000),
    ]
)
ZIPCODE_IN_A_BODY = Schema(one_of=[ZIPCODE, Schema(type=OpenAPIType.STRING, pattern="^[1-9][0-9]{3}$")])
