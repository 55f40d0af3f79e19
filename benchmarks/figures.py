"""What was measured, and the arithmetic on it: ratios within a round, and what the service is to reach."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from benchmarks.load import Measured
from benchmarks.report import Spread, spread
from benchmarks.scenarios import ARGUED, BARE, BARE_AGAIN, GOALS, SERVICE, TITLES, scenarios

SCENARIOS, CLIENTS = "scenarios", "clients"
"""The parts of a run."""

MB = 1000**2
START, MEMORY = "start", "memory"
CEILINGS = {"tail": 1.0, "batch": 40.0, "beside": 10.0, START: 1.0, MEMORY: 120.0}
"""Of p99 as a ratio, of the CPU of a batch and of p99 beside batches in milliseconds, of a start in seconds, in MB."""

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
    resident: int

    @property
    def spent(self) -> float:
        """Seconds of CPU of its process."""
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

    def by_clients(self) -> dict[str, dict[int, list[Sample]]]:
        """What was measured of one hot zipcode: by subject, and by the number of clients."""
        found: dict[str, dict[int, list[Sample]]] = {}
        for one in self.samples:
            if one.part == CLIENTS:
                found.setdefault(one.subject, {}).setdefault(one.clients, []).append(one)
        return found


def ratios(these: Sequence[Sample], those: Sequence[Sample], measure: Measure = RATE) -> list[float]:
    """One for each round that both were measured in: what slows the machine down slows both."""
    base = {one.round: measure(one) for one in those}
    return [measure(one) / base[one.round] if base[one.round] else math.nan for one in these if one.round in base]


@dataclass(frozen=True)
class Finding:
    """What was found, and its floor: it is to be at least `limit`, or where that is a `ceiling`, at most.

    Without a limit nothing is promised; a `goal` is a limit that is wished for. `argued` says why a floor was given up.
    `found` is None when it was not measured.
    """

    name: str
    limit: float | None
    found: Spread | None
    by_cpu: Spread | None = None
    ceiling: bool = False
    scenario: str = "hot"
    goal: bool = False
    argued: str = ""

    @property
    def promised(self) -> bool:
        return self.limit is not None and not self.goal

    @property
    def held(self) -> Spread | None:
        """What is held against the limit: by CPU where that is known. A neighbour that takes a core away lowers rates,
        and the load generator is busier than the service.
        """
        return self.by_cpu or self.found

    @property
    def met(self) -> bool | None:
        """By the median; None when it was not measured, or nothing is promised."""
        held = self.held
        if held is None or self.limit is None:
            return None
        return held.middle <= self.limit if self.ceiling else held.middle >= self.limit

    def short_of(self, allowance: float) -> bool:
        """Whether it is missed by more than noise explains: `allowance` is the share of the limit that is enough. What
        is not promised or was given up is not missed.
        """
        held = self.held
        if held is None or self.limit is None or self.goal or self.argued:
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
            name, goal = f"{scenario.title}, of {TITLES[other]}", GOALS.get(other)
            here, argued = scenario.name, ARGUED.get(scenario.name, "")
            found.append(
                Finding(name, limit or goal, by_rate, by_cpu, goal=goal is not None, scenario=here, argued=argued)
            )
    memory = max((point.resident / MB for point in results.flood), default=0.0)
    enough = memory > CEILINGS[MEMORY] or any(point.asked >= urls for point in results.flood)
    ceilings: list[tuple[str, str, str, Iterable[float]]] = [
        ("p99 of one hot zipcode, of bare ASGI's", "tail", "hot", _tails(results, "hot", SERVICE)),
        ("p99 of the same twice", "", "control", _tails(results, "control", BARE_AGAIN)),
        ("1,000 indexations in one request, ms of CPU", "batch", "batch", _in_ms(COST, results.of(SERVICE, "batch"))),
        ("p99 of one hot zipcode, eight clients, ms", "", "few", _in_ms(P99, results.of(SERVICE, "few"))),
        (
            "the same beside ten clients with such batches, ms",
            "beside",
            "beside",
            _in_ms(P99, results.of(SERVICE, "beside")),
        ),
        ("from start to the first answer, seconds", START, START, results.started.get(SERVICE, ())),
        (f"after all scenarios and {urls:,} distinct URLs, MB of memory", MEMORY, MEMORY, [memory] if enough else ()),
    ]
    for name, ceiling, where, values in ceilings:
        limit, argued = CEILINGS.get(ceiling), ARGUED.get(ceiling, "")
        found.append(Finding(name, limit, spread(values), ceiling=True, scenario=where, argued=argued))
    return found


def _tails(results: Results, scenario: str, subject: str) -> list[float]:
    return ratios(results.of(subject, scenario), results.of(BARE, scenario), P99)


def _in_ms(measure: Measure, samples: Iterable[Sample]) -> list[float]:
    return [measure(one) * 1e3 for one in samples]
