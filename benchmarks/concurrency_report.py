"""The figures of the concurrency study for docs/concurrency.md; the words around them are in the document itself."""

import math
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.forms.applications import FORMS, POOL_SIZE, default_threads
from benchmarks.load import NAME, Measured
from benchmarks.report import disturbance, errors, facts, latency, middle, table, with_range
from benchmarks.svg import Panel, Series, draw

ZIPCODE, LIST = "zipcode", "list"
ROUTES = {ZIPCODE: "GET /zipcodes/{zipcode}", LIST: "GET /databases/zipcodes?risk_factor=A"}
Results = dict[tuple[str, str, int], list[Measured]]
"""By form, route and number of clients: one for each repeat, in order."""

_FIRST = next(iter(FORMS))
_COSTS = ("p50 / p99 ms", "CPU ms, server + Postgres", "errors")


def parts(results: Results, clients: Sequence[int], setting: dict[str, str]) -> dict[str, str]:
    """Every table, by the name of its place in the document; more is added to the `setting`."""
    busiest = max(one.cpu["load"] / one.seconds for found in results.values() for one in found)
    more = {
        "pool, threads": f"{POOL_SIZE} connections; {default_threads()} threads, the framework's own number here",
        "load generator": f"{NAME}; at most {busiest:.0%} of a core",
        "requests/s from lowest to highest repeat": disturbance(results.values()),
    }
    routes = ROUTES.items()
    return {
        "setting": facts({**setting, **more}),
        "ratios": "\n\n".join(f"`{title}`\n\n{_ratios(results, route, clients)}" for route, title in routes),
        "figures": "\n\n".join(f"### `{title}`\n\n{_figures(results, route, clients)}" for route, title in routes),
    }


def _ratios(results: Results, route: str, clients: Sequence[int]) -> str:
    rows = []
    for name, form in FORMS.items():
        found = [(results[name, route, count], results[_FIRST, route, count]) for count in clients]
        rows.append([form.title, *(with_range(_relative(these, those)) for these, those in found)])
    return table(["clients", *map(str, clients)], rows)


def _relative(these: Sequence[Measured], those: Sequence[Measured]) -> list[float]:
    """Rates as multiples, each within its own repeat."""
    return [this.rate / that.rate if that.rate else math.nan for this, that in zip(these, those, strict=True)]


def _figures(results: Results, route: str, clients: Sequence[int]) -> str:
    rows = []
    for name, form in FORMS.items():
        for count in clients:
            found = results[name, route, count]
            rows.append([form.title, str(count), with_range(one.rate for one in found), *_costs(found)])
    return table(["form", "clients", "requests/s", *_COSTS], rows)


def _costs(found: Sequence[Measured]) -> list[str]:
    server, postgres = (middle(one.cpu_each(name) * 1e3 for one in found) for name in ("server", "postgres"))
    return [latency(found), f"{server} + {postgres}", errors(found)]


def plot(results: Results, clients: Sequence[int]) -> str:
    """Both routes by clients."""
    measures: dict[str, Callable[[Measured], float]] = {
        "requests per second": lambda one: one.rate,
        "p99 in milliseconds": lambda one: one.p99 * 1e3,
    }

    def lines(route: str, measure: Callable[[Measured], float]) -> list[Series]:
        return [
            Series(
                form.title,
                [(count, median(map(measure, results[name, route, count]))) for count in clients],
                dashed=not form.title.split()[0].isdigit(),
            )
            for name, form in FORMS.items()
        ]

    panels = [
        Panel(title, "clients at the same time", label, lines(route, measure))
        for label, measure in measures.items()
        for route, title in ROUTES.items()
    ]
    return draw(panels, title="Requests per second and p99 of two routes in several forms, by clients")
