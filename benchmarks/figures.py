"""What was measured, and the arithmetic on it: medians, spreads, ratios within a round, floors."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec
from benchmarks.scenarios import BARE, FASTAPI, SERVICE, scenarios

SCENARIOS, CLIENTS, PROCESSES = "scenarios", "clients", "processes"
"""The parts of a run."""

MEMORY_CEILING = 150 * 1000**2  # bytes
FASTAPI_FLOOR, TAIL_CEILING = 4.0, 1.5


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One measurement. Times are in seconds, memory and answers in bytes.

    `cpu` is the server's for each answer, `busy` and `generator_busy` shares of a core.
    """

    part: str
    scenario: str
    subject: str
    round: int
    clients: int
    processes: int = 1
    rate: float
    p50: float
    p99: float
    cpu: float
    busy: float
    generator_busy: float
    resident: int
    size: float
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Flooded:
    """After so many distinct URLs: the service's memory in bytes, and how fast the last of them were answered."""

    asked: int
    resident: int
    rate: float
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """The service's answer to the first request of a scenario; `size` is that of the body."""

    status: int
    size: int
    encoding: str | None = None


@dataclass(kw_only=True)
class Results:
    """A whole run. `seconds` is how long a measurement took, `started` holds seconds by who was started."""

    seconds: float
    rounds: int
    clients: int
    machine: dict[str, str]
    minutes: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    started: dict[str, list[float]] = field(default_factory=dict)
    flood: list[Flooded] = field(default_factory=list)

    def of(
        self, subject: str, scenario: str, part: str = SCENARIOS, clients: int | None = None, processes: int = 1
    ) -> list[Sample]:
        """The samples of this, in the order of rounds."""
        wanted = self.clients if clients is None else clients
        found = (
            one
            for one in self.samples
            if (one.part, one.scenario, one.subject, one.clients, one.processes)
            == (part, scenario, subject, wanted, processes)
        )
        return sorted(found, key=lambda one: one.round)


def save(results: Results, path: Path) -> None:
    """Keep a run, to render it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(msgspec.to_builtins(results), indent=1), "utf-8")


def load(path: Path) -> Results:
    """A run that was kept."""
    return msgspec.convert(json.loads(path.read_text("utf-8")), Results)  # msgspec's own reader knows no NaN


@dataclass(frozen=True)
class Spread:
    """A median, and the lowest and highest value."""

    middle: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread | None:
    """Of the values that are numbers; None when there is none."""
    known = [value for value in values if not math.isnan(value)]
    return Spread(median(known), min(known), max(known)) if known else None


def rate(sample: Sample) -> float:
    return sample.rate


def tail(sample: Sample) -> float:
    return sample.p99


def cpu(sample: Sample) -> float:
    return sample.cpu


def ratios(these: Sequence[Sample], those: Sequence[Sample], measure: Callable[[Sample], float] = rate) -> list[float]:
    """One for each round that both were measured in: what slows the machine down slows both."""
    base = {one.round: measure(one) for one in those}
    return [measure(one) / base[one.round] if base[one.round] else math.nan for one in these if one.round in base]


@dataclass(frozen=True)
class Floor:
    """What the service is to reach: at least `limit`, or where it is a `ceiling`, at most."""

    name: str
    limit: float
    found: Spread | None
    by_cpu: Spread | None = None
    ceiling: bool = False
    unit: str = ""
    scenario: str = "hot"

    @property
    def met(self) -> bool | None:
        """By the median; None when it was not measured."""
        if self.found is None:
            return None
        return self.found.middle <= self.limit if self.ceiling else self.found.middle >= self.limit

    def short_of(self, allowance: float) -> bool:
        """Whether it is missed by more than noise explains: `allowance` is the share of the limit that is enough.

        Where the ratio by CPU is known it has to be missed as well: a neighbour that takes a core away lowers rates.
        """
        if self.found is None:
            return False
        if self.ceiling:
            return self.found.middle > self.limit / allowance
        known = [spread.middle for spread in (self.found, self.by_cpu) if spread is not None]
        return max(known) < self.limit * allowance


def floors(results: Results, urls: int = 1_000_000) -> list[Floor]:
    """All of them. `urls` is how many distinct ones it takes until the memory counts as measured."""
    found = []
    for scenario in scenarios(etag=""):
        ours, theirs = scenario.subjects[:2]
        if scenario.floor is not None:
            these, those = (results.of(subject, scenario.name) for subject in (ours, theirs))
            name = f"{scenario.title}, of {_BESIDE.get(scenario.name, 'bare ASGI')}"
            found.append(_at_least(name, scenario.floor, these, those, scenario.name))
    hot = results.of(SERVICE, "hot")
    name = "one hot zipcode, of FastAPI with a dictionary"
    found.append(_at_least(name, FASTAPI_FLOOR, hot, results.of(FASTAPI, "hot")))
    tails = spread(ratios(hot, results.of(BARE, "hot"), tail))
    found.append(Floor("p99 of one hot zipcode, of bare ASGI's", TAIL_CEILING, tails, ceiling=True))
    memory = max((point.resident for point in results.flood), default=0)
    enough = memory > MEMORY_CEILING or any(point.asked >= urls for point in results.flood)
    at_most = Spread(memory, memory, memory) if enough else None
    name = f"memory after all scenarios and {urls:,} distinct URLs"
    found.append(Floor(name, MEMORY_CEILING, at_most, ceiling=True, unit="MB"))
    return found


def _at_least(
    name: str, limit: float, these: Sequence[Sample], those: Sequence[Sample], scenario: str = "hot"
) -> Floor:
    by_rate, by_cpu = spread(ratios(these, those)), spread(ratios(those, these, cpu))
    return Floor(name, limit, by_rate, by_cpu=by_cpu, scenario=scenario)


_BESIDE = {
    "postgres": "bare ASGI on the same pool and query",
    "postgres-hot": "the brief's shape on the same Postgres",
}
