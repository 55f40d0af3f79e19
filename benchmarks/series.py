"""How long an answer about the health index takes, from the figures in memory to its bytes.

    python -m benchmarks.series [--seconds S]

Each is timed alone, many times, without HTTP: what is added by the framework and the server is the same for all routes.
Prints the median and the 99th percentile in milliseconds. `json.dumps` of the same content, its decimals as floats, is
the baseline. It talks to nothing and needs no other package than the service itself.
"""

import argparse
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryFigureHistory, InMemoryHealthIndexProvider
from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Month
from domain.health_index.indexation import index_amount
from domain.leases.rent import Region, index_rent
from domain.use_cases.health_index import HealthIndexService
from entrypoints.http.health_index.bodies import csv_lines, series_item
from entrypoints.http.health_index.receipts import IndexationCase, indexation_receipt, written
from entrypoints.http.representation import encode

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
BASE_YEAR = 2013
LEAST = 200  # repetitions, however short the time


class Timing(NamedTuple):
    """Milliseconds of one repetition, and how many there were."""

    median: float
    slowest_percent: float
    repetitions: int


def measure(work: Callable[[], object], seconds: float) -> Timing:
    """Repeat it for so long; the first repetitions, which fill what is computed once, do not count."""
    for _ in range(20):
        work()
    taken: list[int] = []
    gc.collect()
    end = time.perf_counter() + seconds
    while len(taken) < LEAST or time.perf_counter() < end:
        started = time.perf_counter_ns()
        work()
        taken.append(time.perf_counter_ns() - started)
    return Timing(statistics.median(taken) / 1e6, statistics.quantiles(taken, n=100)[98] / 1e6, len(taken))


def make_index() -> HealthIndexService:
    """The service over the bundled figures."""
    bundled = load_snapshot()
    return HealthIndexService(
        InMemoryHealthIndexProvider(bundled), bundled, InMemoryFigureHistory(), lambda: NOW, PublicationCalendar()
    )


def subjects(index: HealthIndexService) -> dict[str, Callable[[], object]]:
    """What is measured, by what it is called in the table."""
    items = [series_item(figure) for figure in index.now().series(BASE_YEAR)]
    plain = [_plain(item) for item in items]
    assert len(items) == len(plain) == 392
    assert json.loads(encode(items)) == plain
    figure, amount = index.now().figure, Decimal(500)
    start, end = Month(2010, 6), Month(2019, 8)
    lease = Region.BRUSSELS, date(2010, 7, 25), date(2010, 9, 1), date(2020, 1, 1)
    case = IndexationCase(written("500"), str(start), str(end))
    known_at = index.last_change()
    return {
        "series of 392 months: encode": lambda: encode(items),
        "the same by json.dumps": lambda: json.dumps(plain),
        "the same with what goes before: figures, items, bytes": lambda: encode(
            [series_item(each) for each in index.now().series(BASE_YEAR)]
        ),
        "the same as CSV": lambda: csv_lines(index.now().series(BASE_YEAR)).encode(),
        "one month in one base year, published": lambda: index.now().figure(Month(2020, 1), BASE_YEAR),
        "one month in every base year, derived where need be": lambda: index.now().of_month(Month(2025, 6)),
        "one indexation": lambda: index_amount(figure, amount, start, end).indexed,
        "one indexation: receipt as JSON": lambda: encode(indexation_receipt(index.now(), known_at, case, "query")),
        "one rent": lambda: index_rent(figure, amount, *lease).indexation.indexed,
    }


def _plain(item: Any) -> dict[str, object]:
    fields = ("month", "value", "provenance", "smoothed", "smoothed_provenance")
    values = {name: getattr(item, name) for name in fields}
    plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    return {name: value for name, value in plain.items() if isinstance(value, str | float)}


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description="How long an answer about the health index takes.")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each is repeated")
    seconds = parser.parse_args().seconds
    print(f"CPython {platform.python_version()}, {platform.machine()}; milliseconds\n")
    print("| | median | 99th percentile | repetitions |\n| --- | --: | --: | --: |")
    for name, work in subjects(make_index()).items():
        timing = measure(work, seconds)
        print(f"| {name} | {timing.median:.4f} | {timing.slowest_percent:.4f} | {timing.repetitions:,} |")


if __name__ == "__main__":
    main()
