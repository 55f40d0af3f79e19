"""Two frameworks as anyone would write them first, each over a table in process.

Both answer `GET /zipcodes/{zipcode}` with the same JSON as the service. They leave out everything around it: ETag,
lifetime, 304, the problems of RFC 9457, the id of the request, the log, metrics, and a table that may change.
"""

from fastapi import FastAPI
from litestar import Litestar, get
from litestar.params import FromPath
from msgspec import Struct
from pydantic import BaseModel

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.risk_files.reading import read_draft
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, Zipcode


class Factor(Struct):
    """The body."""

    zipcode: int
    risk_factor: str | None
    exists: bool


class FactorModel(BaseModel):
    """The same body."""

    zipcode: int
    risk_factor: str | None
    exists: bool


def _factors() -> dict[int, str | None]:
    table = read_draft(SAMPLE_RISK_TABLE).table
    return {number: table.factor(Zipcode(number)) for number in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)}


def litestar() -> Litestar:
    """A handler that returns a Struct of a table in process."""
    table = {number: Factor(number, factor, factor is not None) for number, factor in _factors().items()}

    @get("/zipcodes/{zipcode:int}")
    async def find(zipcode: FromPath[int]) -> Factor:
        return table[zipcode]

    return Litestar([find], openapi_config=None, logging_config=None)


def fastapi() -> FastAPI:
    """A handler that returns a model of a dictionary in process, its type declared.

    FastAPI leaves such an answer to pydantic as a whole, and is a third faster than with a dictionary and no type.
    """
    table = {
        number: FactorModel(zipcode=number, risk_factor=factor, exists=factor is not None)
        for number, factor in _factors().items()
    }
    app = FastAPI(openapi_url=None)

    @app.get("/zipcodes/{zipcode}")
    async def find(zipcode: int) -> FactorModel:
        return table[zipcode]

    return app
