"""Examples for the OpenAPI description: what is asked and what is answered."""

from typing import Any

from entrypoints.http.openapi.rent_examples import RENT_CASE, RENT_CSV_EXAMPLES, RENT_EXAMPLES

_FRESHNESS = {
    "latest_month": "2022-04",
    "as_of": "2022-04-28T09:12:44Z",
    "source": "statbel",
    "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
    "next_publication": "2022-05-30",
    "status": "fresh",
}
_FIGURE = {
    "base_year": 2013,
    "month": "2022-04",
    "value": 119.59,
    "provenance": "published",
    "smoothed": 116.52,
    "smoothed_provenance": "published",
    "change": {"month": 0.72, "year": 8.40},
}
_ESTIMATED = {
    "base_year": 2004,
    "month": "2026-08",
    "value": 169.44,
    "provenance": "estimated",
    "smoothed": 165.27,
    "smoothed_provenance": "estimated",
    "margin": 0.02,
    "change": {"month": 0.24, "year": 3.44},
}
_RECEIPT = {
    "amount": 500.00,
    "indexed": 584.18,
    "index": "health",
    "base_year": 2004,
    "base_year_rule": "2004 is the base year in force in the starting month 2010-06 (no law names a base year)",
    "start": {"month": "2010-06", "base_year": 2004, "value": 112.74, "provenance": "published"},
    "end": {"month": "2019-08", "base_year": 2004, "value": 131.72, "provenance": "published"},
    "ratio": 1.168352,
    "formula": "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 (rounded half up to the cent)",
    "rounding": "half up to the cent, once, at the end",
    "as_of": "2022-04-28T09:12:44Z",
    "permalink": "/v1/indexations?amount=500.00&from=2010-06&to=2019-08&base_year=2004&index=health"
    "&as_of=2022-04-28T09:12:44Z",
    "settled": True,
    "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
}
_OF_EACH_RECEIPT = ("base_year", "base_year_rule", "start", "end", "ratio", "formula", "rounding", "settled")
_RELEASE = {
    "id": "0002-168866b8",
    "label": "risk-table-2026-09.csv",
    "created_at": "2026-09-01T07:58:12.345678Z",
    "source_sha256": "9f2c6c1f0e5f4f6d3e8b7a1d2c3b4a5968778695a4b3c2d1e0f112233445566f",
    "table_sha256": "168866b8bfca5a984f4bcf244188761fe311b14299c9ddaee15b9706e56488da",
    "counts": {"A": 3533, "B": 3261, "C": 1760},
    "ranges": 65,
    "status": "active",
    "activated_at": "2026-09-01T08:00:00Z",
}
_RETIRED = {
    **_RELEASE,
    "id": "0001-7c1d09e4",
    "counts": {"A": 3462, "B": 3333, "C": 1760},
    "label": "risk-table-2026-03.csv",
    "created_at": "2026-03-02T09:14:03.120045Z",
    "source_sha256": "51d0c4bb7a8f9e6d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0998877665",
    "table_sha256": "7c1d09e4a1b2c3d4e5f60718293a4b5c6d7e8f9001122334455667788990011f",
    "status": "retired",
    "activated_at": "2026-03-02T09:20:00Z",
    "retired_at": "2026-09-01T08:00:00Z",
}
_CASE = {"amount": "500", "from": "2010-06", "to": "2019-08"}


WITHDRAWN: dict[str, Any] = {
    "detail": "Zipcode 9993 has no risk factor in release 0002-168866b8; it had B in release 0001-7c1d09e4, "
    "until 0002-168866b8 took its place",
    "release": "0002-168866b8",
    "withdrawn": {
        "risk_factor": "B",
        "release": "0001-7c1d09e4",
        "until": _RELEASE["activated_at"],
        "until_release": "0002-168866b8",
    },
}
"""What the problem of a zipcode says that had a factor before."""

REQUESTS: dict[str, dict[str, Any]] = {
    "createIndexations": {"items": [_CASE]},
    "createRentIndexations": {"items": [RENT_CASE]},
    "lookUpZipcodes": {"zipcodes": [9000, "9170", 9993]},
}
"""A body of each batch."""

_HEALTH = {"status": "UP", "checks": {"risk_table": {"status": "UP", "detail": "release 0002-168866b8 (table.csv)"}}}

EXAMPLES: dict[str, Any] = {
    "getServiceIndex": {"name": "belref", "version": "0.1.0", "links": {"latest": "/v1/health-index/latest"}},
    "getIndex": {"base_year": 2004, "index": 169.44, "month": "2026-08", "provenance": "estimated"},
    "getZipcodeFactor": {"zipcode": 9000, "risk_factor": "B", "exists": True},
    "getZipcodeFactorOfDatabase": {"zipcode": 9170, "risk_factor": "A", "exists": True},
    "getZipcodesByRiskFactor": {"A": [1320, 1321, 1322]},
    "getZipcode": {"zipcode": 9000, "risk_factor": "B", "release": "0002-168866b8"},
    "listZipcodes": {
        "items": [{"zipcode": 1320, "risk_factor": "A"}, {"zipcode": 1321, "risk_factor": "A"}],
        "total": 3533,
        "page": 1,
        "page_size": 2,
        "release": "0002-168866b8",
        "next": "/v1/zipcodes?risk_factor=A&release=0002-168866b8&page=2&page_size=2",
    },
    "lookUpZipcodes": {
        "items": [
            {"result": {"zipcode": 9000, "risk_factor": "B"}},
            {"result": {"zipcode": 9170, "risk_factor": "A"}},
            {
                "problem": {
                    "type": "urn:problem-type:belref:noRiskFactor",
                    "title": "No Risk Factor",
                    "status": 404,
                    "instance": "urn:uuid:6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11",
                    **WITHDRAWN,
                }
            },
        ],
        "total": 3,
        "release": "0002-168866b8",
    },
    "listRiskRanges": {
        "items": [{"first": 1000, "last": 1299, "risk_factor": "C"}, {"first": 1300, "last": 1319, "risk_factor": "B"}],
        "total": 2,
        "release": "0002-168866b8",
        "sha256": _RELEASE["table_sha256"],
    },
    "listReleases": {
        "items": [_RELEASE, _RETIRED],
        "total": 5,
        "page": 1,
        "page_size": 2,
        "next": "/v1/releases?page=2&page_size=2",
    },
    "getRelease": _RETIRED,
    "getReleaseDiff": {
        "release": "0003-5b0e77a1",
        "against": "0002-168866b8",
        "added": 0,
        "removed": 0,
        "changed": 71,
        "share": 0.83,
        "by_factor": {
            "A": {"before": 3533, "after": 3462, "gained": 0, "lost": 71},
            "B": {"before": 3261, "after": 3332, "gained": 71, "lost": 0},
            "C": {"before": 1760, "after": 1760, "gained": 0, "lost": 0},
        },
        "items": [{"first": 9170, "last": 9240, "before": "A", "after": "B", "zipcodes": 71}],
        "total": 1,
    },
    "getLatestHealthIndex": {
        "month": "2026-08",
        "figures": [_ESTIMATED],
        "freshness": {
            **_FRESHNESS,
            "latest_month": "2026-08",
            "as_of": "2026-08-28T09:12:44Z",
            "next_publication": "2026-09-29",
        },
    },
    "getHealthIndexOfMonth": {"month": "2022-04", "figures": [_FIGURE], "freshness": _FRESHNESS},
    "listHealthIndex": {
        "base_year": 2013,
        "items": [
            {
                "month": "2022-04",
                "value": 119.59,
                "provenance": "published",
                "smoothed": 116.52,
                "smoothed_provenance": "published",
            }
        ],
        "total": 1,
        "freshness": _FRESHNESS,
    },
    "listBaseYears": {
        "items": [
            {
                "base_year": 2013,
                "first_month": "1994-01",
                "last_month": "2026-08",
                "first_published": "1994-01",
                "last_published": "2026-08",
                "in_force_from": "2014-01",
                "in_force_to": "2025-12",
            }
        ],
        "total": 1,
    },
    "listPublications": {
        "items": [
            {"month": "2026-09", "expected_on": "2026-09-29", "status": "known"},
            {"month": "2026-10", "expected_on": "2026-10-29", "status": "due"},
            {"month": "2026-11", "expected_on": "2026-11-27", "status": "ahead"},
        ],
        "total": 3,
    },
    "checkHealthIndex": {
        "month": "2023-11",
        "claimed": 155.25,
        "verdict": "otherBaseYear",
        "figure": {
            "month": "2023-11",
            "base_year": 2013,
            "index": "health",
            "value": 128.55,
            "provenance": "published",
        },
        "detail": "155.25 is something else: the health index of 2023-11 in base 2004 is 155.25 (published); "
        "the health index of 2023-11 in base 2013 is 128.55 (published)",
        "attribution": "Statbel (Statistics Belgium), CC BY 4.0",
        "is": {
            "month": "2023-11",
            "base_year": 2004,
            "index": "health",
            "value": 155.25,
            "provenance": "published",
        },
    },
    "getIndexation": _RECEIPT,
    **RENT_EXAMPLES,
    "createIndexations": {"items": [{"result": _RECEIPT}], "total": 1},
    "getHealth": _HEALTH,
    "getLiveness": {"status": "UP", "checks": {}},
    "getReadiness": _HEALTH,
}
"""A successful answer of each operation; a test validates each against its schema."""

TEXTS: dict[str, dict[str, str]] = {
    **{name: {"text/csv": text} for name, text in RENT_CSV_EXAMPLES.items()},
    "listHealthIndex": {
        "text/csv": "month,value,provenance,smoothed,smoothed_provenance\r\n"
        "2022-04,119.59,published,116.52,published\r\n"
    },
    "listRiskRanges": {"text/csv": "first,last,risk_factor\r\n1000,1299,C\r\n1300,1319,B\r\n"},
    "listPublications": {
        "text/calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//belref//Belgian health index//EN\r\n"
        "BEGIN:VEVENT\r\nSUMMARY:Belgian health index of 2026-10\r\nDTSTART;VALUE=DATE:20261029\r\n"
        "DTSTAMP:20260929T090000Z\r\nUID:health-index-2026-10@belref\r\nSTATUS:TENTATIVE\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    },
    "getMetrics": {
        "text/plain": "# HELP belref_health_index_months_missing Months of the health index that were expected before "
        "today and are not known.\n# TYPE belref_health_index_months_missing gauge\n"
        "belref_health_index_months_missing 0.0\n"
    },
}
"""Answers that are not JSON, by operation and media type."""
