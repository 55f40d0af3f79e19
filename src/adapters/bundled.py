"""The bundled figures and sample risk table, so that the service answers before it has reached anything."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from domain.health_index.figures import Figure, Month, Publication

_DATA = Path(__file__).parent / "data"
_COMPILED = datetime(2026, 11, 22, tzinfo=UTC)
_SMOOTHED = "smoothed_"

SAMPLE_RISK_TABLE = _DATA / "risk_table.sample.csv"
"""Invented ranges that cover the country; an operator puts a table of its own in its place."""


def load_snapshot() -> Publication:
    """The health index of 1994-01 to 2026-08, as far as it was at hand when this version was made.

    Source: Statbel, CC BY 4.0; what was seen only in secondary sources is marked so in the file.
    """
    with (_DATA / "health_index.csv").open(encoding="ascii", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        figures = tuple(figure for row in rows for figure in _figures(row))
    return Publication(figures, _COMPILED, "snapshot")


def _figures(row: dict[str, str]) -> Iterator[Figure]:
    month = Month.parse(row["month"])
    for column, value in row.items():
        if value and column.isdecimal():
            smoothed = row[_SMOOTHED + column]
            yield Figure(month, int(column), Decimal(value), Decimal(smoothed) if smoothed else None)
