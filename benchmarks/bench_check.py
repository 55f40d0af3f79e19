"""A guard on the ratios: quick, and only as strict as a shared machine lets it be."""

import sys
from collections.abc import Sequence

from benchmarks.bench_report import machine
from benchmarks.bench_run import Bench, Plan, allow_many_connections
from benchmarks.bench_tables import number, shown
from benchmarks.figures import Floor, Results, floors, ratios, spread
from benchmarks.load import LoadGenerator
from benchmarks.scenarios import BARE, BARE_AGAIN
from benchmarks.stage import staged

HOT = ("hot", "list", "list-gzip", "list-br", "index", "latest", "not-modified", "every", "control")
PLAN = Plan(seconds=0.5, rounds=5, aside_rounds=0)
ALLOWANCE = 0.90
"""The share of a floor that is enough.

The same application measured twice differs: on a machine that others keep busy, single rounds of bare ASGI beside
itself were seen at 0.83 to 1.15, their median within a few hundredths of 1. A tenth is beyond that, and much less than
what is lost when an answer goes through the framework again, which is more than half. A floor counts as missed when it
is missed by rate and by CPU, and after a second look.
"""


def check() -> int:
    """Measure, say what was found, and return 1 where a floor is missed; what seems missed is measured once more."""
    results = Results(seconds=PLAN.seconds, rounds=PLAN.rounds, clients=PLAN.clients, machine=machine())
    allow_many_connections()
    with staged(HOT) as stage, LoadGenerator() as generator:
        bench = Bench(stage, results, generator, PLAN)
        bench.scenarios(range(PLAN.rounds))
        again = {floor.scenario for floor in missed(floors(results))}
        if again:
            bench.scenarios(range(PLAN.rounds, 2 * PLAN.rounds), only=[*again, "control"])
    for name, reason in stage.skipped.items():
        print(f"left out: {name}: {reason}")
    every = [floor for floor in floors(results) if floor.found is not None]
    print("\n".join(map(_line, every)))
    noise = spread(ratios(results.of(BARE_AGAIN, "control"), results.of(BARE, "control")))
    print(f"bare ASGI of bare ASGI: {shown(noise)}: what the machine itself adds")
    failures = missed(every)
    for floor in failures:
        print(f"FAILED: {floor.name}: {shown(floor.found)}, by CPU {shown(floor.by_cpu)}", file=sys.stderr)
    return 1 if failures else 0


def missed(every: Sequence[Floor]) -> list[Floor]:
    """Those that are missed by more than noise explains."""
    return [floor for floor in every if floor.short_of(ALLOWANCE)]


def _line(floor: Floor) -> str:
    word = "MISSED" if floor.short_of(ALLOWANCE) else "ok"
    return f"{word:6}  {floor.name}: {shown(floor.found)}, by CPU {shown(floor.by_cpu)}, {_bound(floor)}"


def _bound(floor: Floor) -> str:
    limit = floor.limit / ALLOWANCE if floor.ceiling else floor.limit * ALLOWANCE
    return f"{'at most' if floor.ceiling else 'at least'} {number(limit)} (the floor is {number(floor.limit)})"
