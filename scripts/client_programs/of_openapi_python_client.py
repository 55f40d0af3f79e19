"""Asks a running service through the client that openapi-python-client generated. Its one argument is the address."""

import json
import sys
from decimal import Decimal

from belref_client import Client
from belref_client.api.brief import get_index
from belref_client.api.health import get_readiness
from belref_client.api.health_index import get_latest_health_index, list_health_index
from belref_client.api.indexation import create_indexations, get_indexation
from belref_client.api.zipcodes import get_zipcode, look_up_zipcodes
from belref_client.models import (
    Health,
    Index,
    IndexationBody,
    IndexationCase,
    IndexationCases,
    IndexationOutcomes,
    Lookups,
    MonthBody,
    Problem,
    SeriesBody,
    ZipcodeCases,
    ZipcodeRisk,
)

client = Client(base_url=sys.argv[1])

ready = get_readiness.sync(client=client)
assert isinstance(ready, Health) and ready.status.value == "UP", ready

index = get_index.sync(client=client, year=2013)
assert isinstance(index, Index) and index.base_year == 2013, index

latest = get_latest_health_index.sync(client=client)
assert isinstance(latest, MonthBody) and latest.figures[0].base_year >= 2013, latest

series = list_health_index.sync(client=client, base_year=2013, from_="2023-01", to="2023-12")
assert isinstance(series, SeriesBody) and series.total == len(series.items) == 12, series

indexation = get_indexation.sync(client=client, amount="500.00", from_="2010-06", to="2019-08")
assert isinstance(indexation, IndexationBody) and indexation.indexed == 584.18, indexation
assert Decimal(f"{indexation.indexed:.2f}") == Decimal("584.18")  # a float, that a client makes exact again
raw = get_indexation.sync_detailed(client=client, amount="500.00", from_="2010-06", to="2019-08").content
assert json.loads(raw, parse_float=Decimal)["indexed"] == Decimal("584.18"), raw

for amount in ("500", 500.0):
    case = IndexationCase(amount=amount, from_="2010-06", to="2019-08")
    outcomes = create_indexations.sync(client=client, body=IndexationCases(items=[case]))
    assert isinstance(outcomes, IndexationOutcomes), outcomes
    result = outcomes.items[0].result
    assert isinstance(result, IndexationBody) and result.indexed == 584.18, outcomes

zipcode = get_zipcode.sync(9000, client=client)
assert isinstance(zipcode, ZipcodeRisk) and zipcode.zipcode == 9000, zipcode

lookups = look_up_zipcodes.sync(client=client, body=ZipcodeCases(zipcodes=[9000, "9170", 999]))
assert isinstance(lookups, Lookups) and lookups.total == 3, lookups
assert isinstance(lookups.items[2].problem, Problem), lookups

refused = get_zipcode.sync(1000, client=client, as_of="yesterday")
assert isinstance(refused, Problem) and refused.status == 400 and refused.issues, refused
