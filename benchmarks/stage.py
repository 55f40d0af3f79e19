"""Everybody who answers in the measurements, up at the same time: the service with several settings, and baselines."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from benchmarks.figures import Seen
from benchmarks.forms.server import FormServer
from benchmarks.load import Request
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

from entrypoints.settings import Settings

IN_PROCESS = {name: f"benchmarks.baselines.in_process:{name}" for name in (LITESTAR, FASTAPI)}
Server = ServerProcess | ServiceProcess


def bare(recorded: Mapping[str, Mapping[str, Answer]]) -> ServerProcess:
    """Bare ASGI with answers by scenario, and by path and query; tell it by `exchange` which scenario to play."""
    return ServerProcess("benchmarks.baselines.bare:Bare", scenarios=recorded)


@dataclass
class Stage:
    """Who is there; `postgres` is the id of its process. `seen` has the service's answers, by scenario."""

    servers: dict[str, Server]
    postgres: int
    etag: str
    scenarios: list[Scenario] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    bare: list[ServerProcess] = field(default_factory=list)
    recorded: dict[str, dict[str, Answer]] = field(default_factory=dict)

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
        stage = Stage(servers, _postmaster(database.superuser), etag)
        for scenario in scenarios(etag):
            if not only or scenario.name in only:
                _prepare(stage, scenario)
        stage.bare = [stack.enter_context(bare(stage.recorded)) for _ in (BARE, BARE_AGAIN)]
        servers |= zip((BARE, BARE_AGAIN), stage.bare, strict=True)
        stack.callback(lambda: [server.begin_to_end() for server in servers.values()])
        yield stage


def _prepare(stage: Stage, scenario: Scenario) -> None:
    """Record what belongs to it, unless this service has no answer to it: then say why it is left out."""
    requests = scenario.requests(0)
    service = stage.servers[scenario.subjects[0] if scenario.subjects[0] in OF_SERVICE else SERVICE]
    wanted = {request.path: request for request in (requests[:1] if scenario.one_for_all else requests)}
    answers = dict(zip(wanted, ask(service.port, wanted.values()), strict=True))
    first = next(iter(answers.values()))
    reason = _no_use(scenario, first)
    if reason is not None:
        stage.skipped[scenario.name] = reason
        return
    for request in wanted.values():
        _check(scenario, request, answers[request.path])
    stage.recorded[scenario.name] = answers
    stage.seen[scenario.name] = Seen(first.status, len(first.body), first.header("content-encoding"))
    stage.scenarios.append(scenario)


def _no_use(scenario: Scenario, answer: Answer) -> str | None:
    unknown = [name.upper() for name in scenario.needs if name not in Settings.__struct_fields__]
    if unknown:
        return f"this version has no setting {' and '.join(unknown)}"
    if scenario.optional and answer.status in {404, 405}:
        return f"this version has no such route: it answered {answer.status}"
    if scenario.encoding is not None and answer.header("content-encoding") != scenario.encoding:
        return f"this version does not compress with {scenario.encoding}"
    return None


def _check(scenario: Scenario, request: Request, answer: Answer) -> None:
    if answer.status != request.status:
        raise RuntimeError(f"{scenario.title}: {request.path} answered {answer.status}, not {request.status}")


def _postmaster(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        backend = connection.info.backend_pid
        return int(Path(f"/proc/{backend}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])


def answers_of(stage: Stage, scenario: Scenario) -> Mapping[str, Answer]:
    """What each subject of a scenario answers to its first request."""
    stage.set_for(scenario)
    request = scenario.requests(0)[0]
    return {subject: ask_one(stage.servers[subject].port, request) for subject in scenario.subjects}
