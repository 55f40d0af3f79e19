"""A closed-loop HTTP load generator: so many clients, each asks again as soon as it has its answer.

It runs in a process of its own, speaks HTTP/1.1 with keep-alive to 127.0.0.1 alone, and ends with the process that
started it. Every load is bounded in time and in count.
"""

import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Child

NAME = "benchmarks/load.py, on uvloop and httptools"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Request:
    """One request, and the status of a good answer to it. `path` may have a query; all of it is ASCII."""

    path: str
    status: int = 200
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def all_headers(self) -> dict[str, str]:
        """Its own, and those that say what the body is."""
        if not self.body:
            return dict(self.headers)
        length = str(len(self.body.encode()))
        return {"Content-Type": "application/json", "Content-Length": length, **self.headers}


@dataclass(frozen=True, kw_only=True)
class Load:
    """What to send to a port of this machine: requests in turn, whichever client is free.

    All clients connect before the first one asks. The window opens once every client has had an answer and `warm_up`
    seconds have passed. It stays open for `seconds`, and on until `at_least` answers came, so that slow answers that
    come in waves are not missed. Nothing is waited for longer than `patience` seconds. `watch` names processes, by
    their id, whose CPU time is wanted.
    """

    port: int
    requests: Sequence[Request]
    clients: int
    seconds: float
    at_least: int = 0
    warm_up: float = 0.2
    patience: float = 20.0
    at_most: int = 2_000_000
    watch: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What came back in the window of `seconds`.

    `answered` counts answers with the status that was asked for, `errors` everything else by kind, `received` the bytes
    of the good answers with all their headers. `p50`, `p99` and `p999` are seconds from a request to the end of its
    answer, over the requests that were sent in the window; NaN when none was answered. `cpu` is in seconds, by the
    names that were watched, with their child processes; the generator's own is there as `load`.
    """

    seconds: float
    answered: int
    p50: float
    p99: float
    errors: Mapping[str, int]
    cpu: Mapping[str, float]
    received: int = 0
    p999: float = math.nan

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds

    def cpu_each(self, *names: str) -> float:
        """Seconds of CPU of these for one answer, good or bad."""
        count = self.answered + sum(self.errors.values())
        return sum(self.cpu[name] for name in names) / count if count else math.nan


@dataclass(frozen=True)
class Order:
    """What the generator's process is told: loads one after the other, or by turns in windows of `part` seconds."""

    loads: Sequence[Load]
    part: float | None = None


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed; NaN of nothing."""
    return ascending[max(math.ceil(share * len(ascending)), 1) - 1] if ascending else math.nan


def cpu_seconds(pid: int) -> float:
    """CPU time so far of a process and its descendants, those that ended and were waited for included; Linux only."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name of a process may hold anything, so what counts starts behind its last bracket.
            fields = (entry / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
            ticks[int(entry.name)] = sum(map(int, fields[11:15]))
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    total, tree = 0, [pid]
    while tree:
        member = tree.pop()
        total += ticks.get(member, 0)
        tree += children.get(member, ())
    return total / _TICKS


class LoadGenerator(Child):
    """The generator's process, for as long as its context is open."""

    def __init__(self) -> None:
        super().__init__("benchmarks.load_run", "the load generator")

    def measure(self, load: Load) -> Measured:
        """Send a load and wait for the outcome.

        :raises RuntimeError: when the generator stopped
        """
        (measured,) = self._carry_out(Order([load]))
        return measured

    def compare(self, loads: Sequence[Load], part: float = 0.1) -> list[Measured]:
        """Send several loads by turns, of which each gets its `seconds` in windows of `part` seconds.

        All clients of all loads stay connected, and those whose turn it is not wait. So what is compared is compared
        within a fraction of a second, and what else happens on the machine happens to all. It is for servers that
        answer many times in a window. `at_least` has no meaning here; the CPU of the watched is what the counted
        answers took.

        :raises RuntimeError: when the generator stopped
        """
        return self._carry_out(Order(loads, part))

    def _carry_out(self, order: Order) -> list[Measured]:
        return [Measured(**each) for each in json.loads(self.exchange(order))]
