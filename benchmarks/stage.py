"""Everybody who answers in the measurements, up at the same time: the service with several settings, and baselines."""

import http.client
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks import scenarios as who
from benchmarks.forms.applications import FormServer
from benchmarks.load import Request
from benchmarks.others import WITH_NGINX, Nginx, nginx
from benchmarks.processes import ServerProcess
from benchmarks.scenarios import Scenario, scenarios
from tests.integration.postgres_databases import Databases
from tests.integration.service import running_service
from tests.servers.postgres import PostgresServer

IN_PROCESS = {name: f"benchmarks.baselines.in_process:{name}" for name in (who.LITESTAR, who.FASTAPI)}
_THE_SERVERS_OWN = {"date", "server", "connection", "keep-alive"}  # written by uvicorn, whatever the application says
_PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class Answer:
    """What an application said; headers in its order, without those of the server itself."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, given in lower case."""
        return next((value for each, value in self.headers if each == name), None)


def ask(port: int, requests: Iterable[Request]) -> Iterator[Answer]:
    """Send requests one after the other, on one connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        for request in requests:
            connection.putrequest(request.method, request.path, skip_accept_encoding=True)
            for name, value in request.all_headers().items():
                connection.putheader(name, value)
            connection.endheaders(request.body.encode() or None)
            response = connection.getresponse()
            headers = [(name.lower(), value) for name, value in response.getheaders()]
            kept = [(name, value) for name, value in headers if name not in _THE_SERVERS_OWN]
            yield Answer(response.status, kept, response.read())


def ask_one(port: int, request: Request) -> Answer:
    """Send one request."""
    (answer,) = ask(port, [request])
    return answer


class ServiceProcess(NamedTuple):
    """The service as it is shipped: `belref serve`, its access log on, which goes to a file."""

    port: int
    pid: int
    log: Path

    def trim_log(self) -> None:
        """It may grow by gigabytes in a run, and nobody reads it; the service writes on, after a hole."""
        os.truncate(self.log, 0)


Server = ServerProcess | ServiceProcess | Nginx
S = TypeVar("S", bound=Server)


@contextmanager
def service_process(**settings: str) -> Iterator[ServiceProcess]:
    """Run the service with these settings and no others; it reads no figures from outside."""
    # A tree other than the installed one can be measured by naming its `src` here.
    elsewhere = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    alone = {"HEALTH_INDEX_SOURCE": "snapshot", "SHUTDOWN_SECONDS": "2"}
    with (
        tempfile.TemporaryDirectory(prefix="belref-bench-") as folder,
        running_service(Path(folder), **elsewhere, **{**alone, **settings}) as service,
    ):
        yield ServiceProcess(service.port, service.process.pid, Path(folder) / "service.log")


def bare(recorded: Mapping[str, Mapping[str, Answer]]) -> ServerProcess:
    """Bare ASGI with answers by scenario, and by path and query; tell it by `exchange` which scenario to play."""
    return ServerProcess("benchmarks.baselines.bare:Bare", scenarios=recorded)


@dataclass(frozen=True)
class Stage:
    """Who is there; `recorded` has the service's answers by scenario, and by path and query."""

    servers: dict[str, Server]
    scenarios: list[Scenario]
    recorded: dict[str, dict[str, Answer]]
    bare: list[ServerProcess]

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
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        databases = stack.enter_context(Databases(stack.enter_context(PostgresServer()).dsn))
        database = databases.migrated()
        stack.callback(databases.drop, database)

        def start(processes: Mapping[str, AbstractContextManager[S]]) -> dict[str, S]:
            return dict(zip(processes, pool.map(stack.enter_context, processes.values()), strict=True))

        stored = {"DB_DSN": database.service}
        settings = {name: {**own, **(stored if "postgres" in name else {})} for name, own in who.SETTINGS.items()}
        services = start({name: service_process(**own) for name, own in settings.items()})
        answer = ask_one(services[who.SERVICE].port, who.HOT)
        pooled = {"dsn": database.service, "headers": answer.headers}
        baselines = {
            **{name: ServerProcess(make) for name, make in IN_PROCESS.items()},
            who.CONNECTING: FormServer("connect-in-loop", database.service),
            who.POOLED: ServerProcess("benchmarks.baselines.pooled:Pooled", **pooled),
        }
        every = scenarios(answer.header("etag") or "")
        chosen = [scenario for scenario in every if not only or scenario.name in only]
        recorded = {scenario.name: _record(services, scenario) for scenario in chosen}
        replaying = start({name: bare(recorded) for name in (who.BARE, who.BARE_AGAIN)})
        others = {who.NGINX: stack.enter_context(nginx(answer.headers, answer.body))} if WITH_NGINX else {}
        yield Stage({**services, **start(baselines), **replaying, **others}, chosen, recorded, list(replaying.values()))


def _record(services: Mapping[str, ServiceProcess], scenario: Scenario) -> dict[str, Answer]:
    """The service's answers to the requests of a scenario, once they are what it expects."""
    requests = scenario.requests(0)
    service = services[scenario.service if scenario.service in who.OF_SERVICE else who.SERVICE]
    wanted = {request.path: request for request in (requests[:1] if scenario.one_for_all else requests)}
    answers = dict(zip(wanted, ask(service.port, wanted.values()), strict=True))
    for request, answer in zip(wanted.values(), answers.values(), strict=True):
        expected, found = request.headers.get("Accept-Encoding"), answer.header("content-encoding")
        if (answer.status, found) != (request.status, expected):
            raise RuntimeError(f"{scenario.title}: {request.path} answered {answer.status}, encoding {found}")
    return answers
