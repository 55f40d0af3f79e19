"""The figures of a run as tables in Markdown, and as a plot."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from benchmarks.figures import (
    CLIENTS,
    PROCESSES,
    SCENARIOS,
    Floor,
    Results,
    Sample,
    Spread,
    cpu,
    floors,
    rate,
    ratios,
    spread,
    tail,
)
from benchmarks.scenarios import BARE, BARE_AGAIN, SERVICE, TITLES, Scenario, scenarios
from benchmarks.svg import Panel, Series, draw

_MB = 1000**2
_PLOTTED = (1, 2, 5)  # of each decade of distinct URLs


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Numbers to the right, what they are of to the left."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Two digits that matter, or all of a whole number."""
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def shown(values: Iterable[float] | Spread | None, show: Callable[[float], str] = number) -> str:
    """The median, and in brackets the lowest and the highest; a dash where there is nothing."""
    found = values if isinstance(values, Spread) or values is None else spread(values)
    if found is None:
        return "-"
    middle, low, high = show(found.middle), show(found.low), show(found.high)
    return middle if low == high else f"{middle} ({low} to {high})"


def _measured(results: Results) -> list[Scenario]:
    return [each for each in scenarios(etag="") if any(results.of(subject, each.name) for subject in each.subjects)]


# -- floors and ratios -------------------------------------------------------------------------------


def floor_table(results: Results) -> str:
    """Every floor, and whether it is met."""
    return table(["", "floor", "found", ""], map(_floor_row, floors(results)))


def _floor_row(floor: Floor) -> list[str]:
    def show(value: float) -> str:
        return f"{value / _MB:.0f} {floor.unit}" if floor.unit else number(value)

    words = {True: "met", False: "**not met**", None: "not measured"}
    bound = "at most" if floor.ceiling else "at least"
    return [floor.name, f"{bound} {show(floor.limit)}", shown(floor.found, show), words[floor.met]]


def ratio_table(results: Results) -> str:
    """Requests per second of the first subject of each scenario, as a multiple of each other one's."""
    rows = []
    for scenario in _measured(results):
        ours, *others = scenario.subjects
        these = results.of(ours, scenario.name)
        for other in others:
            those = results.of(other, scenario.name)
            by_rate, by_cpu = ratios(these, those), ratios(those, these, cpu)
            rows.append([scenario.title, TITLES[ours], TITLES[other], shown(by_rate), shown(by_cpu)])
    return table(["", "this", "beside this", "ratio", "by CPU"], rows)


# -- figures -----------------------------------------------------------------------------------------


def figure_table(results: Results) -> str:
    """Rate, CPU, latencies and memory of everybody in every scenario."""
    rows = []
    for scenario in _measured(results):
        for subject in scenario.subjects:
            found = results.of(subject, scenario.name)
            if found:
                rows.append([scenario.title, TITLES[subject], *_figures(found), _errors(found)])
    head = ["", "", "requests/s", "CPU µs each", "p50 ms", "p99 ms", "bytes each", "resident MB", "errors"]
    return table(head, rows)


def _figures(found: Sequence[Sample]) -> list[str]:
    return [
        shown(one.rate for one in found),
        shown(one.cpu * 1e6 for one in found),
        shown(one.p50 * 1e3 for one in found),
        shown(one.p99 * 1e3 for one in found),
        f"{median(one.size for one in found):,.0f}",
        f"{found[-1].resident / _MB:.0f}",
    ]


def _errors(found: Sequence[Sample]) -> str:
    kinds = sorted({kind for one in found for kind in one.errors})
    return f"{sum(sum(one.errors.values()) for one in found):,} ({', '.join(kinds)})" if kinds else "0"


def client_table(results: Results) -> str:
    """Rate and p99 of one hot zipcode, by clients."""
    counts, subjects = _counts(results), _subjects(results, CLIENTS)
    rows = [
        [TITLES[subject], *(_rate_and_tail(results.of(subject, "hot", CLIENTS, count)) for count in counts)]
        for subject in subjects
    ]
    if SERVICE in subjects and BARE in subjects:
        both = [[results.of(subject, "hot", CLIENTS, count) for subject in (SERVICE, BARE)] for count in counts]
        rows.append(["belref, of bare ASGI", *(shown(ratios(these, those)) for these, those in both)])
    return table(["clients", *map(str, counts)], rows)


def _rate_and_tail(found: Sequence[Sample]) -> str:
    return f"{number(median(map(rate, found)))} / {number(median(map(tail, found)) * 1e3)}" if found else "-"


def process_table(results: Results) -> str:
    """Rate of one hot zipcode, by processes."""
    counts = sorted({one.processes for one in results.samples if one.part == PROCESSES})
    subjects = _subjects(results, PROCESSES)
    rows = [
        [
            TITLES[subject],
            *(shown(one.rate for one in results.of(subject, "hot", PROCESSES, processes=count)) for count in counts),
        ]
        for subject in subjects
    ]
    return table(["processes", *map(str, counts)], rows)


def memory_table(results: Results) -> str:
    """The service's memory after so many distinct URLs."""
    points = _thinned(results)
    rows = [[f"{asked:,}", f"{resident / _MB:.0f}", number(speed)] for asked, resident, speed in points]
    return table(["distinct URLs", "resident MB", "requests/s of the last ones"], rows)


def _thinned(results: Results) -> list[tuple[int, int, float]]:
    """The first point, the last, and those next to round numbers between."""
    points = [(point.asked, point.resident, point.rate) for point in results.flood]
    marks = [step * 10**power for power in range(4, 8) for step in _PLOTTED]
    near = {min(points, key=lambda point: abs(point[0] - mark)) for mark in marks} if points else set()
    return sorted(near | set(points[:1]) | set(points[-1:]))


def start_table(results: Results) -> str:
    """Seconds from nothing to the first answer."""
    rows = [[TITLES[subject], shown(seconds)] for subject, seconds in results.started.items()]
    return table(["", "seconds"], rows)


def _counts(results: Results) -> list[int]:
    return sorted({one.clients for one in results.samples if one.part == CLIENTS})


def _subjects(results: Results, part: str) -> list[str]:
    return list(
        dict.fromkeys(
            subject for subject in TITLES for one in results.samples if (one.part, one.subject) == (part, subject)
        )
    )


# -- noise -------------------------------------------------------------------------------------------


def noise(results: Results) -> dict[str, str]:
    """How much the machine itself adds: the same measured twice, and how busy the generator was."""
    again, once = (results.of(subject, "control") for subject in (BARE_AGAIN, BARE))
    alone = [one for one in results.samples if one.part == SCENARIOS]
    busiest = max(alone, key=lambda one: one.generator_busy, default=None)
    spreads = []
    for scenario in _measured(results):
        for subject in scenario.subjects:
            found = spread(one.rate for one in results.of(subject, scenario.name))
            if found is not None:
                spreads.append((found.high - found.low) / found.middle)
    return {
        "the same twice (bare ASGI of bare ASGI), ratio": shown(ratios(again, once)),
        "the same twice, ratio of p99": shown(ratios(again, once, tail)),
        "requests/s from lowest to highest round": f"half of them differ by less than {median(spreads):.0%}, "
        f"the widest by {max(spreads):.0%}"
        if spreads
        else "-",
        "CPU of the load generator": "-"
        if busiest is None
        else f"at most {busiest.generator_busy:.0%} of a core, while {TITLES[busiest.subject]} took "
        f"{busiest.busy:.0%} of one",
    }


# -- the plot ----------------------------------------------------------------------------------------


def plot(results: Results) -> str:
    """By clients, by processes, and memory by distinct URLs."""
    counts = _counts(results)

    def by_clients(measure: Callable[[Sample], float]) -> list[Series]:
        return [
            Series(
                TITLES[subject],
                [
                    (count, median(map(measure, found)))
                    for count in counts
                    if (found := results.of(subject, "hot", CLIENTS, count))
                ],
                dashed=subject != SERVICE,
            )
            for subject in _subjects(results, CLIENTS)
        ]

    processes = sorted({one.processes for one in results.samples if one.part == PROCESSES})
    by_processes = [
        Series(
            TITLES[subject],
            [
                (count, median(map(rate, found)))
                for count in processes
                if (found := results.of(subject, "hot", PROCESSES, processes=count))
            ],
            dashed=subject != SERVICE,
        )
        for subject in _subjects(results, PROCESSES)
    ]
    memory = Series(TITLES[SERVICE], [(asked, resident / _MB) for asked, resident, _ in _thinned(results)])
    panels = [
        Panel("one hot zipcode", "clients at the same time", "requests per second", by_clients(rate)),
        Panel("one hot zipcode", "clients at the same time", "p99 in ms", by_clients(lambda one: one.p99 * 1e3)),
        Panel("one hot zipcode", "processes", "requests per second", by_processes),
        Panel("memory", "distinct URLs", "resident MB", [memory]),
    ]
    return draw(panels, title="Requests per second and p99 by clients, by processes, and memory by distinct URLs")
