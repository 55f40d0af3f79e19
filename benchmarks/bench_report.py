"""The figures of a run for docs/performance.md; the words around them are in the document itself."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from benchmarks import figures as f
from benchmarks.figures import Finding, Measure, Results, Sample, findings, ratios
from benchmarks.load import NAME
from benchmarks.others import WITH_NGINX, WITH_WRK
from benchmarks.report import disturbance, errors, facts, latency, middle, number, table, with_range
from benchmarks.scenarios import BARE, FASTAPI, NGINX, SERVICE, TITLES, scenarios
from benchmarks.svg import Panel, Series, draw

_ROUND_NUMBERS = {step * 10**power for power in range(4, 8) for step in (1, 2, 5)}


def parts(results: Results) -> dict[str, str]:
    """Every table, by the name of its place in the document."""
    every = findings(results)
    without = "".join(
        f"\n\n{name} is not installed here: its rows were left out."
        for name, there in (("nginx", WITH_NGINX), ("wrk", WITH_WRK))
        if not there
    )
    return {
        "front": "\n".join(front(every, results.flood[-1].asked if results.flood else 0)),
        "floors": f"{summary(every)}\n\n{floor_table(every)}{without}",
        "figures": figure_table(results),
        "clients": client_tables(results),
        "memory": memory_table(results),
        "start": table(["", "seconds"], ([TITLES[who], with_range(took)] for who, took in results.started.items())),
        "setting": facts(_setting(results)),
    }


def front(every: Sequence[Finding], asked: int) -> Iterator[str]:
    """What a reader wants to know before any table; of what was not measured it says nothing. `asked` is how many
    distinct URLs were.
    """
    known = {(each.scenario, each.name.rpartition(", of ")[2]): held for each in every if (held := each.held)}
    kept = {
        BARE: "**a bare ASGI application** that sends fixed bytes",
        FASTAPI: "**a FastAPI handler** with a dictionary",
        NGINX: "**nginx** with the same bytes",
    }
    times = [
        f"{number(1 / known['hot', TITLES[who]].middle)} times the CPU of {words}"
        for who, words in kept.items()
        if ("hot", TITLES[who]) in known
    ]
    if times:
        yield "A kept answer, such as that for one zipcode, takes, log line, metrics and request id included:"
        yield from (f"- {each}" for each in times)
        yield ""
    for scenario, words in {"miss": "A look-up that is made anew", "indexation": "An indexation"}.items():
        if (scenario, TITLES[BARE]) in known:
            yield f"{words} takes {number(1 / known[scenario, TITLES[BARE]].middle)} times the CPU of bare ASGI."
    limits = {each.scenario: held.middle for each in every if each.ceiling and (held := each.held)}
    about = {
        "beside": "While ten clients send batches of 1,000 indexations, 99 of 100 hot look-ups take at most {} ms.",
        f.START: "The first request is answered {} s after the start.",
        f.MEMORY: f"After all scenarios and {asked:,} distinct URLs it holds {{}} MB.",
    }
    yield from (text.format(number(limits[each])) for each, text in about.items() if each in limits)


def summary(every: Sequence[Finding]) -> str:
    """In one sentence."""
    floors = [finding.met for finding in every if finding.promised]
    met, missed, unknown = (floors.count(each) for each in (True, False, None))
    argued = sum(finding.met is False and bool(finding.argued) for finding in every)
    given_up = f" ({argued} of them given up, with the reason beside)" if argued else ""
    rest = f", {unknown} not measured" if unknown else ""
    return f"**Of {len(floors)} floors {met} are met, {missed} are not{given_up}{rest}.**"


def floor_table(every: Sequence[Finding]) -> str:
    """Every ratio, and whether its floor is met."""
    rows = []
    for each in every:
        bound = "" if each.limit is None else f"at {'most' if each.ceiling else 'least'} {number(each.limit)}"
        cells = [each.name, f"goal: {bound}" if each.goal else bound, with_range(each.found), with_range(each.by_cpu)]
        rows.append([*cells, "" if each.limit is None else _verdict(each)])
    return table(["", "floor", "found", "by CPU", ""], rows)


def _verdict(finding: Finding) -> str:
    if finding.met is None:
        return "not measured"
    if finding.met:
        return "met"
    return f"not met, [given up](profile.md): {finding.argued}" if finding.argued else "**not met**"


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
        with_range(map(f.RATE, found)),
        with_range(one.cost * 1e6 for one in found),
        latency(found),
        f"{median(one.received / one.answered for one in found):,.0f}",
        f"{found[-1].resident / f.MB:.0f}",
        errors(found),
    ]


def client_tables(results: Results) -> str:
    """Rates and latencies of one hot zipcode, by clients."""
    found = results.by_clients()
    counts = sorted({count for by_count in found.values() for count in by_count})
    compared = [with_range(ratios(these, found[BARE][count])) for count, these in found.get(SERVICE, {}).items()]

    def rows(show: Callable[[Sequence[Sample]], str]) -> list[list[str]]:
        return [[TITLES[subject], *map(show, by_count.values())] for subject, by_count in found.items()]

    rates = table(
        ["requests/s, by clients", *map(str, counts)],
        [*rows(lambda these: middle(map(f.RATE, these))), ["belref, of bare ASGI", *compared]],
    )
    return f"{rates}\n\n{table(['p50 / p99 / p99.9 ms, by clients', *map(str, counts)], rows(_quantiles))}"


def _quantiles(found: Sequence[Sample]) -> str:
    return f"{latency(found)} / {middle(one.p999 * 1e3 for one in found)}"


def memory_table(results: Results) -> str:
    """The service's memory after so many distinct URLs: at the start, at round numbers and at the end."""
    points = [point for point in results.flood if point.asked in {0, *_ROUND_NUMBERS} or point is results.flood[-1]]
    rows = [[f"{point.asked:,}", f"{point.resident / f.MB:.0f}", number(point.rate)] for point in points]
    return table(["distinct URLs", "resident MB", "requests/s of the last ones"], rows)


def _setting(results: Results) -> dict[str, str]:
    alone = [one for one in results.samples if one.part == f.SCENARIOS]
    aside = len({one.round for one in results.samples if one.part != f.SCENARIOS})
    busiest = max(alone, key=lambda one: one.cpu["load"] / one.seconds, default=None)
    groups = [results.of(subject, each.name) for each in scenarios(etag="") for subject in each.subjects]
    return {
        **results.machine,
        "run": f"{results.rounds} rounds of {results.seconds:g} s for everybody, {results.clients} clients; {aside} "
        f"of what stands beside them; {results.minutes:.1f} minutes in all",
        "load generator": f"{NAME}; at most {busiest.cpu['load'] / busiest.seconds:.0%} of a core, while "
        f"{TITLES[busiest.subject]} took {busiest.spent / busiest.seconds:.0%} of one"
        if busiest is not None
        else NAME,
        "requests/s from lowest to highest round": disturbance(groups),
    }


def plot(results: Results) -> str:
    """By clients, and memory by distinct URLs."""

    def lines(measure: Measure, unit: float = 1) -> list[Series]:
        return [
            Series(
                TITLES[subject],
                [(count, median(map(measure, found)) * unit) for count, found in by_count.items()],
                dashed=subject != SERVICE,
            )
            for subject, by_count in results.by_clients().items()
        ]

    memory = [(point.asked, point.resident / f.MB) for point in results.flood if point.asked in _ROUND_NUMBERS]
    panels = [
        Panel("one hot zipcode", "clients at the same time", "requests per second", lines(f.RATE)),
        Panel("one hot zipcode", "clients at the same time", "p99 in ms", lines(f.P99, 1e3)),
        Panel("memory", "distinct URLs", "resident MB", [Series(TITLES[SERVICE], memory)]),
    ]
    return draw(panels, title="Requests per second and p99 by clients, and memory by distinct URLs")
