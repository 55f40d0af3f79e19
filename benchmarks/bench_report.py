"""The figures of a run for docs/performance.md; the words around them are in the document itself."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from benchmarks.figures import (
    CLIENTS,
    MB,
    P99,
    PROCESSES,
    RATE,
    SCENARIOS,
    Finding,
    Measure,
    Results,
    Sample,
    findings,
    ratios,
)
from benchmarks.load import NAME
from benchmarks.report import disturbance, errors, facts, latency, middle, number, table, with_range
from benchmarks.scenarios import BARE, SERVICE, TITLES, scenarios
from benchmarks.svg import Panel, Series, draw

_ROUND_NUMBERS = {step * 10**power for power in range(4, 8) for step in (1, 2, 5)}


def parts(results: Results) -> dict[str, str]:
    """Every table, by the name of its place in the document."""
    every = findings(results)
    return {
        "floors": f"{summary(every)}\n\n{floor_table(every)}",
        "figures": figure_table(results),
        "clients": client_table(results),
        "processes": process_table(results),
        "memory": memory_table(results),
        "start": table(["", "seconds"], ([TITLES[who], with_range(took)] for who, took in results.started.items())),
        "setting": facts(_setting(results)),
    }


def summary(every: Sequence[Finding]) -> str:
    """In one sentence."""
    floors = [finding.met for finding in every if finding.limit is not None]
    met, missed, unknown = (floors.count(each) for each in (True, False, None))
    rest = f", {unknown} not measured" if unknown else ""
    return f"**Of {len(floors)} floors {met} are met, {missed} are not{rest}.**"


def floor_table(every: Sequence[Finding]) -> str:
    """Every ratio, and whether its floor is met."""
    words = {True: "met", False: "**not met**", None: "not measured"}
    rows = []
    for each in every:
        bound = "" if each.limit is None else f"at {'most' if each.ceiling else 'least'} {number(each.limit)}"
        cells = [each.name, bound, with_range(each.found), with_range(each.by_cpu)]
        rows.append([*cells, "" if each.limit is None else words[each.met]])
    return table(["", "floor", "found", "by CPU", ""], rows)


def figure_table(results: Results) -> str:
    """Rate, CPU, latencies and memory of everybody in every scenario."""
    rows = [
        [scenario.title, TITLES[subject], *_figures(found)]
        for scenario in scenarios(etag="")
        for subject in scenario.subjects
        if (found := results.of(subject, scenario.name))
    ]
    head = ["", "", "requests/s", "CPU µs each", "p50 / p99 ms", "bytes each", "resident MB", "errors"]
    return table(head, rows)


def _figures(found: Sequence[Sample]) -> list[str]:
    return [
        with_range(map(RATE, found)),
        with_range(one.cost * 1e6 for one in found),
        latency(found),
        f"{median(one.received / one.answered for one in found):,.0f}",
        f"{found[-1].resident / MB:.0f}",
        errors(found),
    ]


def client_table(results: Results) -> str:
    """Rate and p99 of one hot zipcode, by clients."""
    found = results.aside(CLIENTS)
    compared = {count: with_range(ratios(these, found[BARE][count])) for count, these in found.get(SERVICE, {}).items()}
    return _aside_table(
        "clients",
        found,
        lambda these: f"{middle(map(RATE, these))} / {middle(one.p99 * 1e3 for one in these)}",
        ["belref, of bare ASGI", *compared.values()],
    )


def process_table(results: Results) -> str:
    """Rate of one hot zipcode, by processes."""
    return _aside_table("processes", results.aside(PROCESSES), lambda these: with_range(map(RATE, these)))


def _aside_table(
    what: str,
    found: Mapping[str, Mapping[int, Sequence[Sample]]],
    show: Callable[[Sequence[Sample]], str],
    *more: Sequence[str],
) -> str:
    counts = sorted({count for by_count in found.values() for count in by_count})
    rows = [[TITLES[subject], *map(show, by_count.values())] for subject, by_count in found.items()]
    return table([what, *map(str, counts)], [*rows, *more])


def memory_table(results: Results) -> str:
    """The service's memory after so many distinct URLs: at the start, at round numbers and at the end."""
    points = [point for point in results.flood if point.asked in {0, *_ROUND_NUMBERS} or point is results.flood[-1]]
    rows = [[f"{point.asked:,}", f"{point.resident / MB:.0f}", number(point.rate)] for point in points]
    return table(["distinct URLs", "resident MB", "requests/s of the last ones"], rows)


def _setting(results: Results) -> dict[str, str]:
    alone = [one for one in results.samples if one.part == SCENARIOS]
    aside = len({one.round for one in results.samples if one.part != SCENARIOS})
    busiest = max(alone, key=lambda one: one.cpu["load"] / one.seconds, default=None)
    groups = [results.of(subject, each.name) for each in scenarios(etag="") for subject in each.subjects]
    return {
        **results.machine,
        "run": f"{results.rounds} rounds of {results.seconds:g} s for everybody, {results.clients} clients; {aside} by "
        f"clients and by processes; {results.minutes:.1f} minutes in all",
        "load generator": f"{NAME}; at most {busiest.cpu['load'] / busiest.seconds:.0%} of a core, while "
        f"{TITLES[busiest.subject]} took {busiest.spent / busiest.seconds:.0%} of one"
        if busiest is not None
        else NAME,
        "requests/s from lowest to highest round": disturbance(groups),
    }


def plot(results: Results) -> str:
    """By clients, by processes, and memory by distinct URLs."""

    def lines(part: str, measure: Measure, unit: float = 1) -> list[Series]:
        return [
            Series(
                TITLES[subject],
                [(count, median(map(measure, found)) * unit) for count, found in by_count.items()],
                dashed=subject != SERVICE,
            )
            for subject, by_count in results.aside(part).items()
        ]

    memory = [(point.asked, point.resident / MB) for point in results.flood if point.asked in _ROUND_NUMBERS]
    panels = [
        Panel("one hot zipcode", "clients at the same time", "requests per second", lines(CLIENTS, RATE)),
        Panel("one hot zipcode", "clients at the same time", "p99 in ms", lines(CLIENTS, P99, 1e3)),
        Panel("one hot zipcode", "processes", "requests per second", lines(PROCESSES, RATE)),
        Panel("memory", "distinct URLs", "resident MB", [Series(TITLES[SERVICE], memory)]),
    ]
    return draw(panels, title="Requests per second and p99 by clients, by processes, and memory by distinct URLs")
