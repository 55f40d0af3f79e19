"""Measuring: rounds in which everybody has a turn, one right after the other, so that ratios are of the same moment."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from benchmarks.figures import CLIENTS, SCENARIOS, Flooded, Results, Sample
from benchmarks.load import Load, LoadGenerator, Request
from benchmarks.others import wrk
from benchmarks.processes import ServerProcess, resident
from benchmarks.scenarios import HOT, SERVICE, Scenario, batch, distinct
from benchmarks.stage import IN_PROCESS, Server, ServiceProcess, Stage, ask_one, service_process

_CHUNK = 10_000  # distinct URLs at a time
_TWICE: Mapping[str, Any] = {"seconds": 20.0, "warm_up": 0.0, "at_least": 0}
_SENDERS, _UNDER_WAY = 10, 0.5  # who send batches beside, and seconds for them to begin
_TURN, _LONG_TURN, _MANY = 0.1, 0.5, 64  # seconds of a turn; the long one is for more clients than that


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured: rounds of `seconds` for each subject, after a warm-up, and of what stands beside scenarios.

    `ask_before`: what a scenario wants asked before is asked. `url_seconds` is when the asking of distinct URLs ends,
    done or not.
    """

    seconds: float
    rounds: int
    aside_rounds: int
    warm_up: float = 0.15
    ask_before: bool = True
    clients: int = 64
    clients_aside: Sequence[int] = (1, 64, 256, 1000)
    wrk_seconds: int = 2
    starts: int = 5
    urls: int = 1_000_000
    url_seconds: float = 400.0


class Bench:
    """One run on a stage; results are added to what is there already."""

    def __init__(self, stage: Stage, results: Results, generator: LoadGenerator, plan: Plan) -> None:
        self._stage, self._results, self._generator, self._plan = stage, results, generator, plan

    def scenarios(self, rounds: Sequence[int], only: Sequence[str] = ()) -> None:
        """Every scenario in every round."""
        chosen = [each for each in self._stage.scenarios if not only or each.name in only]
        for turn in rounds:
            for scenario in chosen:
                self._measure(SCENARIOS, scenario, turn)
            _say(f"round {turn + 1} of {rounds[-1] + 1}: {len(chosen)} scenarios")

    def by_clients(self) -> None:
        """One hot zipcode, asked by more and more clients."""
        for turn in range(self._plan.aside_rounds):
            for clients in self._plan.clients_aside:
                self._measure(CLIENTS, self._stage.scenario("hot"), turn, clients=clients)
            _say(f"clients: round {turn + 1} of {self._plan.aside_rounds}")

    def starts(self) -> None:
        """From nothing to the first answered request, several times."""
        ways: dict[str, Callable[[], AbstractContextManager[Server]]] = {
            SERVICE: service_process,
            **{subject: partial(ServerProcess, make) for subject, make in IN_PROCESS.items()},
        }
        for _ in range(self._plan.starts):
            for subject, make in ways.items():
                begun = time.perf_counter()
                with make() as server:
                    ask_one(server.port, HOT)
                    self._results.started.setdefault(subject, []).append(time.perf_counter() - begun)
        _say(f"{self._plan.starts} starts")

    def flood(self) -> None:
        """Distinct URLs, each asked once; it ends early when its time is over."""
        service, load = self._stage.servers[SERVICE], self._load([], SERVICE, self._plan.clients)
        urls = distinct(self._plan.urls)
        asked, end = 0, time.monotonic() + self._plan.url_seconds
        self._results.flood.append(Flooded(0, resident(service.pid), 0.0))
        while (chunk := list(islice(urls, _CHUNK))) and time.monotonic() < end:
            once = replace(load, requests=chunk, seconds=60, warm_up=0, at_least=0, at_most=len(chunk))
            measured = self._generator.measure(once)
            asked += len(chunk)
            wrong = sum(measured.errors.values())
            self._results.flood.append(Flooded(asked, resident(service.pid), measured.rate, wrong))
            _trim(service)
        _say(f"{asked:,} distinct URLs")

    def _measure(self, part: str, scenario: Scenario, turn: int, clients: int | None = None) -> None:
        """All subjects of a scenario, in their order or in the opposite one: nobody is always the first."""
        self._stage.set_for(scenario)
        count = clients or scenario.clients or self._plan.clients
        requests = scenario.requests(turn)
        in_turn = scenario.subjects if turn % 2 == 0 else scenario.subjects[::-1]
        loads = [self._load(requests, subject, count) for subject in in_turn]
        if scenario.warm and self._plan.ask_before:
            self._generator.measure(replace(loads[in_turn.index(SERVICE)], **_TWICE, at_most=2 * len(requests)))
        if scenario.by_wrk:
            servers = [self._stage.servers[subject] for subject in in_turn]
            found = [wrk(each, HOT.path, clients=count, seconds=self._plan.wrk_seconds) for each in servers]
        elif scenario.by_turns:
            found = self._generator.compare(loads, _TURN if count <= _MANY else _LONG_TURN)
        else:
            with self._batches() if scenario.beside_batches else nullcontext():
                found = [self._generator.measure(load) for load in loads]
        for subject, measured in zip(in_turn, found, strict=True):
            if not measured.answered:
                raise RuntimeError(f"{scenario.title}, {subject}: no good answer, but {dict(measured.errors)}")
            server = self._stage.servers[subject]
            about: dict[str, Any] = {"part": part, "scenario": scenario.name, "subject": subject, "round": turn}
            sample = Sample(**vars(measured), **about, clients=count, resident=resident(server.pid))
            self._results.samples.append(sample)
            _trim(server)

    @contextmanager
    def _batches(self) -> Iterator[None]:
        """Clients with a load generator of their own send batches meanwhile, and come back at once when refused."""
        load = self._load(batch(0), SERVICE, _SENDERS)
        lasting = replace(load, seconds=self._plan.seconds + 2 * _UNDER_WAY, at_least=0)
        with LoadGenerator() as another, ThreadPoolExecutor(1) as pool:
            sending = pool.submit(another.measure, lasting)
            time.sleep(_UNDER_WAY)
            yield
            sent = sending.result()
        _say(f"beside it, {sent.answered} batches were answered and {sum(sent.errors.values())} refused")

    def _load(self, requests: Sequence[Request], subject: str, clients: int) -> Load:
        server = self._stage.servers[subject]
        return Load(
            port=server.port,
            requests=requests,
            clients=clients,
            seconds=self._plan.seconds,
            warm_up=self._plan.warm_up,
            at_least=clients,
            watch={"server": server.pid},
        )


def _trim(server: Server) -> None:
    if isinstance(server, ServiceProcess):
        server.trim_log()


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def allow_many_connections() -> None:
    """A thousand clients are more than a process may have files open, on many machines; children inherit this."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
