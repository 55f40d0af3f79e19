"""Everybody who answers in the measurements, up at the same time: the service with several settings, and baselines."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks.forms.server import FormServer
from benchmarks.processes import ServerProcess
from benchmarks.recording import Answer, ask, ask_one
from benchmarks.scenarios import (
    BARE,
    BARE_AGAIN,
    CONNECTING,
    FASTAPI,
    HOT,
    LITESTAR,
    OF_SERVICE,
    ON_POSTGRES,
    POOLED,
    POSTGRES_UNCACHED,
    SERVICE,
    SETTINGS,
    Scenario,
    scenarios,
)
from benchmarks.service_process import ServiceProcess
from tests.integration.postgres_databases import Databases
from tests.servers.postgres import PostgresServer

IN_PROCESS = {name: f"benchmarks.baselines.in_process:{name}" for name in (LITESTAR, FASTAPI)}
Server = ServerProcess | ServiceProcess


def bare(recorded: Mapping[str, Mapping[str, Answer]]) -> ServerProcess:
    """Bare ASGI with answers by scenario, and by path and query; tell it by `exchange` which scenario to play."""
    return ServerProcess("benchmarks.baselines.bare:Bare", scenarios=recorded)


@dataclass
class Stage:
    """Who is there; `recorded` has the service's answers by scenario, and by path and query."""

    servers: dict[str, Server]
    scenarios: list[Scenario]
    recorded: dict[str, dict[str, Answer]] = field(default_factory=dict)
    bare: list[ServerProcess] = field(default_factory=list)

    def scenario(self, name: str) -> Scenario:
        return next(each for each in self.scenarios if each.name == name)

    def set_for(self, scenario: Scenario) -> None:
        """Have bare ASGI send what belongs to this scenario."""
        for process in self.bare:
            process.exchange(scenario.name)


@contextmanager
def staged(only: Sequence[str] = ()) -> Iterator[Stage]:
    """Start everybody, ask the service for one answer of each scenario, and give them to bare ASGI; all scenarios
    unless `only` some are named.

    :raises RuntimeError: when somebody does not start, or answers otherwise than the scenario expects
    """
    with ExitStack() as stack:
        databases = stack.enter_context(Databases(stack.enter_context(PostgresServer()).dsn))
        database = databases.migrated()
        stack.callback(databases.drop, database)
        on_postgres = {"DB_DSN": database.service}
        services = {
            name: stack.enter_context(
                ServiceProcess(**SETTINGS[name], **(on_postgres if name in {ON_POSTGRES, POSTGRES_UNCACHED} else {}))
            )
            for name in OF_SERVICE
        }
        first = {
            LITESTAR: ServerProcess(IN_PROCESS[LITESTAR]),
            FASTAPI: ServerProcess(IN_PROCESS[FASTAPI]),
            CONNECTING: FormServer("connect-in-loop", database.service),
        }
        for process in first.values():
            process.begin()
        for service in services.values():
            service.wait(HOT)
        answer = ask_one(services[SERVICE].port, HOT)
        etag = answer.header("etag") or ""
        first[POOLED] = ServerProcess(
            "benchmarks.baselines.pooled:Pooled", dsn=database.service, headers=answer.headers
        )
        servers: dict[str, Server] = {
            **services,
            **{name: stack.enter_context(process) for name, process in first.items()},
        }
        chosen = [scenario for scenario in scenarios(etag) if not only or scenario.name in only]
        stage = Stage(servers, chosen)
        for scenario in chosen:
            stage.recorded[scenario.name] = _record(servers, scenario)
        stage.bare = [stack.enter_context(bare(stage.recorded)) for _ in (BARE, BARE_AGAIN)]
        servers |= zip((BARE, BARE_AGAIN), stage.bare, strict=True)
        stack.callback(lambda: [server.begin_to_end() for server in servers.values()])
        yield stage


def _record(servers: Mapping[str, Server], scenario: Scenario) -> dict[str, Answer]:
    """The service's answers to the requests of a scenario, once they are what it expects."""
    requests = scenario.requests(0)
    service = servers[scenario.service if scenario.service in OF_SERVICE else SERVICE]
    wanted = {request.path: request for request in (requests[:1] if scenario.one_for_all else requests)}
    answers = dict(zip(wanted, ask(service.port, wanted.values()), strict=True))
    for request, answer in zip(wanted.values(), answers.values(), strict=True):
        expected, found = request.headers.get("Accept-Encoding"), answer.header("content-encoding")
        if (answer.status, found) != (request.status, expected):
            raise RuntimeError(f"{scenario.title}: {request.path} answered {answer.status}, encoding {found}")
    return answers


def answers_of(stage: Stage, scenario: Scenario) -> Mapping[str, Answer]:
    """What each subject of a scenario answers to its first request."""
    stage.set_for(scenario)
    request = scenario.requests(0)[0]
    return {subject: ask_one(stage.servers[subject].port, request) for subject in scenario.subjects}
