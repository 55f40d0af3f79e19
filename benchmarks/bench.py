"""belref beside its baselines, in one run: `python -m benchmarks.bench [--quick | --check] [--output FILE]`.

Everything runs on this machine, on 127.0.0.1 alone, and stops with this process. Needs Linux.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import bench_report
from benchmarks.bench_run import Bench, Plan, allow_many_connections
from benchmarks.figures import START, Finding, Results, findings
from benchmarks.load import LoadGenerator
from benchmarks.processes import ROOT
from benchmarks.report import machine, number, with_range, write
from benchmarks.scenarios import scenarios
from benchmarks.stage import staged

DOCUMENT, QUICK_DOCUMENT = ROOT / "docs" / "performance.md", ROOT / "build" / "performance.md"
FULL = Plan(seconds=0.5, rounds=5, aside_rounds=3, starts=3)
QUICK = Plan(seconds=0.2, rounds=3, aside_rounds=1, clients_aside=(1, 64, 1000), wrk_seconds=1, starts=1, urls=10_000)
GUARD = Plan(seconds=0.5, rounds=5, aside_rounds=0, starts=3)
ALLOWANCE = 0.90
"""The share of a floor that is enough for the guard.

The same application measured twice differs: on a machine that others keep busy, single rounds of bare ASGI beside
itself were seen at 0.83 to 1.15, their median within a few hundredths of 1. A tenth is beyond that, and much less than
what is lost when an answer goes through the framework again, which is more than half. A floor counts as missed when it
is missed by rate and by CPU, and after a second look.
"""
_LONGEST = 25 * 60  # seconds; reached only when something is broken


@contextlib.contextmanager
def begun(plan: Plan, only: Sequence[str] = ()) -> Iterator[tuple[Bench, Results]]:
    """Everybody is up, and nothing is measured yet."""
    results = Results(seconds=plan.seconds, rounds=plan.rounds, clients=plan.clients, machine=machine())
    allow_many_connections()
    with staged(only) as stage, LoadGenerator() as generator:
        yield Bench(stage, results, generator, plan), results


def measure(plan: Plan) -> Results:
    """Measure all that is planned."""
    started = time.monotonic()
    with begun(plan) as (bench, results):
        bench.starts()
        bench.scenarios(range(plan.rounds))
        bench.by_clients()
        bench.flood()
    results.minutes = (time.monotonic() - started) / 60
    return results


def check() -> int:
    """Measure all that has a floor, and return 1 where one is missed; what seems missed is measured once more."""
    with begun(GUARD, guarded()) as (bench, results):
        bench.starts()
        bench.scenarios(range(GUARD.rounds))
        again = {finding.scenario for finding in missed(findings(results))}
        if START in again:
            bench.starts()
        if again:
            bench.scenarios(range(GUARD.rounds, 2 * GUARD.rounds), only=[*again, "control"])
    every = [finding for finding in findings(results) if finding.found is not None]
    print("\n".join(map(_line, every)))
    return 1 if missed(every) else 0


def guarded() -> list[str]:
    """The scenarios that have a floor which was not given up, and what shows how much the machine adds by itself."""
    every = findings(Results(seconds=0, rounds=0, clients=0, machine={}))
    held = {each.scenario for each in every if each.promised and not each.argued} | {"control"}
    return [scenario.name for scenario in scenarios(etag="") if scenario.name in held]


def missed(every: Sequence[Finding]) -> list[Finding]:
    """Those that are missed by more than noise explains."""
    return [finding for finding in every if finding.short_of(ALLOWANCE)]


def _line(finding: Finding) -> str:
    by_cpu = "" if finding.by_cpu is None else f", by CPU {with_range(finding.by_cpu)}"
    line = f"{finding.name}: {with_range(finding.found)}{by_cpu}"
    if finding.limit is None:
        return f"        {line}"
    limit = finding.limit / ALLOWANCE if finding.ceiling else finding.limit * ALLOWANCE
    bound = f"{'at most' if finding.ceiling else 'at least'} {number(limit)} (it is {number(finding.limit)})"
    word = "goal" if finding.goal else "MISSED" if finding.short_of(ALLOWANCE) else "ok"
    return f"{word:6}  {line}, {bound}"


def give_up_after(seconds: float) -> None:
    """End this process then or when it is told to, whatever it waits for; what it started ends with it."""

    def give_up(*_: object) -> None:
        raise SystemExit("stopped before it was done")

    for each in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(each, give_up)
    signal.alarm(round(seconds))


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure belref beside its baselines.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--quick", action="store_true", help="fewer and shorter rounds; writes build/performance.md")
    way.add_argument("--check", action="store_true", help="what has a floor; 1 when one is missed")
    parser.add_argument("--output", type=Path, help="the document; the plot is written beside it")
    arguments = parser.parse_args()
    give_up_after(_LONGEST)
    if arguments.check:
        return check()
    results = measure(QUICK if arguments.quick else FULL)
    output = arguments.output or (QUICK_DOCUMENT if arguments.quick else DOCUMENT)
    write(bench_report.parts(results), bench_report.plot(results), page=DOCUMENT, output=output)
    print(f"{output} written after {results.minutes:.1f} minutes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
