"""What was measured, and the arithmetic on it: ratios within a round, and what the service is to reach."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from benchmarks.load import Measured
from benchmarks.report import Spread, spread
from benchmarks.scenarios import BARE, BARE_AGAIN, SERVICE, TITLES, scenarios

SCENARIOS, CLIENTS, PROCESSES = "scenarios", "clients", "processes"
"""The parts of a run; the last two are named for what differs in them."""

MB = 1000**2
MEMORY_CEILING, TAIL_CEILING = 120, 1.0  # MB; a ratio

Measure = Callable[["Sample"], float]
RATE: Measure = attrgetter("rate")
P99: Measure = attrgetter("p99")
COST: Measure = attrgetter("cost")


@dataclass(frozen=True, kw_only=True)
class Sample(Measured):
    """What came back from a subject in a round; `resident` is the memory of its processes in bytes."""

    part: str
    scenario: str
    subject: str
    round: int
    clients: int
    processes: int = 1
    resident: int

    @property
    def spent(self) -> float:
        """Seconds of CPU of all its processes."""
        return sum(self.cpu.values()) - self.cpu["load"]

    @property
    def cost(self) -> float:
        """Seconds of CPU for one answer, good or bad."""
        return self.cpu_each(*(self.cpu.keys() - {"load"}))


@dataclass(frozen=True)
class Flooded:
    """After so many distinct URLs: the service's memory in bytes, and how the last of them were answered."""

    asked: int
    resident: int
    rate: float
    errors: int = 0


@dataclass(kw_only=True)
class Results:
    """A whole run. `seconds` is how long a measurement took, `started` holds seconds by who was started."""

    seconds: float
    rounds: int
    clients: int
    machine: dict[str, str]
    minutes: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    started: dict[str, list[float]] = field(default_factory=dict)
    flood: list[Flooded] = field(default_factory=list)

    def of(self, subject: str, scenario: str) -> list[Sample]:
        """The samples of a subject in a scenario, in the order of rounds."""
        wanted = (SCENARIOS, subject, scenario)
        found = (one for one in self.samples if (one.part, one.subject, one.scenario) == wanted)
        return sorted(found, key=lambda one: one.round)

    def aside(self, part: str) -> dict[str, dict[int, list[Sample]]]:
        """What was measured of one hot zipcode by clients or by processes: by subject, and by their number."""
        found: dict[str, dict[int, list[Sample]]] = {}
        for one in self.samples:
            if one.part == part:
                found.setdefault(one.subject, {}).setdefault(getattr(one, part), []).append(one)
        return found


def ratios(these: Sequence[Sample], those: Sequence[Sample], measure: Measure = RATE) -> list[float]:
    """One for each round that both were measured in: what slows the machine down slows both."""
    base = {one.round: measure(one) for one in those}
    return [measure(one) / base[one.round] if base[one.round] else math.nan for one in these if one.round in base]


@dataclass(frozen=True)
class Finding:
    """What was found, and its floor: it is to be at least `limit`, or where that is a `ceiling`, at most.

    Without a limit nothing is promised. `found` is None when it was not measured.
    """

    name: str
    limit: float | None
    found: Spread | None
    by_cpu: Spread | None = None
    ceiling: bool = False
    scenario: str = "hot"

    @property
    def met(self) -> bool | None:
        """By the median, of CPU where that is known: the load generator is busier than the service.

        None when it was not measured, or nothing is promised.
        """
        held = self.by_cpu or self.found
        if held is None or self.limit is None:
            return None
        return held.middle <= self.limit if self.ceiling else held.middle >= self.limit

    def short_of(self, allowance: float) -> bool:
        """Whether it is missed by more than noise explains: `allowance` is the share of the limit that is enough.

        It is the ratio by CPU where that is known: a neighbour that takes a core away lowers rates.
        """
        held = self.by_cpu or self.found
        if held is None or self.limit is None:
            return False
        return held.middle > self.limit / allowance if self.ceiling else held.middle < self.limit * allowance


def findings(results: Results, urls: int = 1_000_000) -> list[Finding]:
    """All of them. `urls` is how many distinct ones it takes until the memory counts as measured."""
    found = []
    for scenario in scenarios(etag=""):
        these = results.of(scenario.service, scenario.name)
        for other, limit in scenario.beside.items():
            those = results.of(other, scenario.name)
            by_rate, by_cpu = spread(ratios(these, those)), spread(ratios(those, these, COST))
            name = f"{scenario.title}, of {TITLES[other]}"
            found.append(Finding(name, limit, by_rate, by_cpu, scenario=scenario.name))
    for name, where, subject, limit in (
        ("p99 of one hot zipcode, of bare ASGI's", "hot", SERVICE, TAIL_CEILING),
        ("p99 of the same twice", "control", BARE_AGAIN, None),
    ):
        tails = spread(ratios(results.of(subject, where), results.of(BARE, where), P99))
        found.append(Finding(name, limit, tails, ceiling=True, scenario=where))
    memory = max((point.resident / MB for point in results.flood), default=0.0)
    enough = memory > MEMORY_CEILING or any(point.asked >= urls for point in results.flood)
    name = f"MB of memory after all scenarios and {urls:,} distinct URLs"
    found.append(Finding(name, MEMORY_CEILING, spread([memory]) if enough else None, ceiling=True))
    return found
