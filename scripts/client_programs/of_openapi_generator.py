"""Asks a running service through the client that openapi-generator generated. Its one argument is the address."""

import json
import sys
from decimal import Decimal

from belref_client import (
    ApiClient,
    BriefApi,
    Configuration,
    HealthApi,
    HealthIndexApi,
    IndexationApi,
    IndexationCase,
    IndexationCases,
    ZipcodeCases,
    ZipcodesApi,
)
from belref_client.exceptions import BadRequestException
from belref_client.models.zipcode_cases_zipcodes_inner import ZipcodeCasesZipcodesInner

with ApiClient(Configuration(host=sys.argv[1])) as client:
    assert HealthApi(client).get_readiness().status == "UP"
    assert BriefApi(client).get_index(year=2013).base_year == 2013

    figures = HealthIndexApi(client)
    assert figures.get_latest_health_index().figures[0].base_year >= 2013
    assert figures.list_health_index(2013, var_from="2023-01", to="2023-12").total == 12

    indexations = IndexationApi(client)
    assert Decimal(f"{indexations.get_indexation('500.00', '2010-06', '2019-08').indexed:.2f}") == Decimal("584.18")
    raw = indexations.get_indexation_without_preload_content("500.00", "2010-06", "2019-08").data
    assert json.loads(raw, parse_float=Decimal)["indexed"] == Decimal("584.18")
    for amount in ("500", 500.0):
        case = IndexationCase.from_dict({"amount": amount, "from": "2010-06", "to": "2019-08"})
        assert case is not None
        outcome = indexations.create_indexations(IndexationCases(items=[case])).items[0]
        assert outcome.result is not None
        assert outcome.result.indexed == 584.18

    zipcodes = ZipcodesApi(client)
    assert zipcodes.get_zipcode(9000).zipcode == 9000
    asked = [ZipcodeCasesZipcodesInner(each) for each in (9000, "9170")]
    lookups = zipcodes.look_up_zipcodes(ZipcodeCases(zipcodes=asked))
    assert [item.result.zipcode for item in lookups.items if item.result is not None] == [9000, 9170]
    try:
        zipcodes.get_zipcode(1000, as_of="yesterday")
    except BadRequestException as error:
        problem = error.data
    assert problem is not None
    assert problem.status == 400
    assert problem.issues[0].name == "as_of"
