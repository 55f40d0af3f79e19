"""The figures of `benchmarks.scaling` as tables, and the arithmetic that goes on from them."""

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Self

from benchmarks.load import Measured

BUSY = 0.7
"""The share of a core that is to be used: where the autoscaler adds a replica."""
_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was seen of so many replicas.

    Transactions are those of Postgres in `seconds` at rest, in `seconds` under load, and while tables were activated.
    `memory` is in bytes for each replica, `reached` in seconds for each activation.
    """

    replicas: int
    seconds: float
    measured: Sequence[Measured]
    at_rest: int
    under_load: int
    activating: int
    connections: int
    listening: int
    memory: Sequence[int]
    reached: Sequence[float]

    @property
    def rate(self) -> float:
        """Look-ups per second of all replicas together."""
        return sum(measured.rate for measured in self.measured)

    @property
    def answered(self) -> int:
        return sum(measured.answered for measured in self.measured)

    @property
    def errors(self) -> int:
        return sum(sum(measured.errors.values()) for measured in self.measured)

    @property
    def service_cpu(self) -> float:
        """Seconds of CPU of the service for one look-up."""
        return sum(measured.cpu["service"] for measured in self.measured) / max(self.answered + self.errors, 1)

    @property
    def postgres_cpu(self) -> float:
        """Seconds of CPU of Postgres while all the look-ups were answered; every generator watched the same server."""
        return max(measured.cpu["postgres"] for measured in self.measured)


@dataclass(frozen=True)
class Setting:
    """The machine, and how busy it was before."""

    processor: str
    cores: int
    load: str
    on: str

    @classmethod
    def here(cls) -> Self:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        load = Path("/proc/loadavg").read_text("ascii").split()[0]
        cores = len(os.sched_getaffinity(0))
        return cls(names[0] if names else platform.machine(), cores, load, f"{datetime.now(UTC):%Y-%m-%d}")

    def line(self, postgres: int, clients: int) -> str:
        """One sentence for the figures to stand under."""
        python = f"{platform.python_implementation()} {platform.python_version()}"
        return (
            f"{self.on}, {self.processor} with {self.cores} cores (busy before it started: {self.load}), {python}, "
            f"Postgres {postgres}; {clients} clients in all, on the same machine."
        )


def measured(observations: Sequence[Observed]) -> str:
    """A row for each figure, a column for each number of replicas."""
    seconds = f"{observations[0].seconds:.0f} s"
    rows: list[tuple[str, Callable[[Observed], str]]] = [
        ("look-ups per second, all together", lambda seen: f"{seen.rate:,.0f}"),
        ("p50 / p99 of a look-up, ms", _latency),
        ("look-ups that failed", lambda seen: f"{seen.errors}"),
        ("CPU of the service for a look-up, µs", lambda seen: f"{seen.service_cpu * 1e6:.0f}"),
        ("CPU of Postgres under load, share of a core", lambda seen: f"{_postgres_share(seen):.1%}"),
        ("memory of a replica, MiB", lambda seen: f"{fmean(seen.memory) / 2**20:.0f}"),
        ("connections to Postgres", lambda seen: f"{seen.connections}, of which {seen.listening} listen"),
        (f"transactions in Postgres, {seconds} at rest", lambda seen: f"{seen.at_rest}"),
        (f"transactions in Postgres, {seconds} under load", lambda seen: f"{seen.under_load}"),
        ("look-ups in that time", lambda seen: f"{seen.answered:,}"),
        ("transactions for an activation", lambda seen: f"{seen.activating / len(seen.reached):.1f}"),
        ("activation until all answer from it, ms", _reached),
    ]
    head = ["", *(f"{seen.replicas} replica{'s' if seen.replicas > 1 else ''}" for seen in observations)]
    return table(head, ([name, *map(show, observations)] for name, show in rows))


def _latency(seen: Observed) -> str:
    return f"{median(m.p50 for m in seen.measured) * 1e3:.1f} / {max(m.p99 for m in seen.measured) * 1e3:.1f}"


def _postgres_share(seen: Observed) -> float:
    return seen.postgres_cpu / max(m.seconds for m in seen.measured)


def _reached(seen: Observed) -> str:
    return f"{median(seen.reached) * 1e3:.0f}, at most {max(seen.reached) * 1e3:.0f} (of {len(seen.reached)})"


def per_core(observations: Sequence[Observed]) -> str:
    """What one core answers, from the CPU for a look-up of the median observation."""
    cost = median(seen.service_cpu for seen in observations)
    rate = BUSY / cost
    rows = [
        ("look-ups per second of a core that does nothing else", f"{1 / cost:,.0f}"),
        (f"the same, {BUSY:.0%} busy", f"{rate:,.0f}"),
        (f"a day, {BUSY:.0%} busy", f"{rate * _DAY / 1e6:,.0f} million"),
        ("core hours for a thousand million look-ups", f"{1e9 / rate / 3600:,.0f}"),
        ("cores for 10,000 look-ups per second", f"{10_000 / rate:.1f}"),
    ]
    return table(["from CPU for a look-up", ""], rows)


# -- what a cache in front leaves over -----------------------------------------------------------------


def origin_rate(rate: float, addresses: int, max_age: float) -> float:
    """Requests per second that one cache in front passes on, when each of its addresses is asked equally often.

    Of each address it asks once, answers by itself for `max_age` seconds, and asks again at the next request after
    that: one request in 1 + rate * max_age, `rate` being that of the address. Where some addresses are asked more
    often than others it passes on less.
    """
    each = rate / addresses
    return addresses * each / (1 + each * max_age)


RATES = (1, 10, 100, 1_000, 10_000)
KINDS: Mapping[str, tuple[int, float]] = {
    "zipcodes": (9_000, 60),
    "lists of a factor": (3, 60),
    "latest figures, by base year": (6, 300),
    "closed months, by base year": (2_352, 86_400),
}
"""Addresses, and for how many seconds an answer may be kept. 9,000 is every zipcode that there can be; 2,352 are 392
months, with each of five base years and without."""


def in_front(rates: Sequence[float] = RATES, kinds: Mapping[str, tuple[int, float]] = KINDS) -> str:
    """The share that reaches the service, by kind of request: the number of its addresses and its max-age."""
    head = ["addresses, max-age", *(f"{rate:,.0f} /s" for rate in rates), "never more than"]
    rows = []
    for kind, (addresses, max_age) in kinds.items():
        shares = [_share(origin_rate(rate, addresses, max_age) / rate) for rate in rates]
        rows.append([f"{kind}: {addresses:,}, {max_age:,.0f} s", *shares, f"{addresses / max_age:.3g} /s"])
    return table(head, rows)


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"


# -- Markdown ------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(document: Path, parts: Mapping[str, str]) -> None:
    """Put each part between the two marks of its name.

    :raises ValueError: where there are none
    """
    text = document.read_text("utf-8")
    for name, part in parts.items():
        before, begin, rest = text.partition(f"<!-- {name}: begin -->\n")
        _, end, after = rest.partition(f"<!-- {name}: end -->")
        if not begin or not end:
            raise ValueError(f"{document} has no place for its {name}")
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    document.write_text(text, "utf-8")
