"""Every alert of `deploy/prometheus/rules.yml` fires when what it is for happens to real services, and none of them for
one that is well; every query of the dashboard finds what it asks for.

A real Prometheus reads the services. Its rules are those of the file, with every `for` and every window shortened and
every threshold as it is; `promtool test rules` tries them with their own times (tests/project/test_monitoring.py).
"""

import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import yaml
from tests.integration.service import run_belref, running_each, wait_until
from tests.integration.statbel_server import OPEN_DATA, UNAVAILABLE, VIEW, StatbelServer
from tests.servers.postgres import PostgresServer
from tests.servers.prometheus import Labels, PrometheusServer

from adapters.bundled import load_snapshot
from adapters.postgres.migrate import migrate
from domain.health_index.figures import Figure, Month
from domain.health_index.table import IndexTable

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "rules.yml"
DASHBOARD = DEPLOY / "grafana" / "belref.json"
ALERTS = [rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]

WRONG = Figure(Month(2026, 4), 1988, Decimal("230.80"))
"""Estimated as 230.81."""
LAST_IN_1988 = Month(2024, 10)
REVISED = [
    replace(figure, value=figure.value + Decimal("0.01"), smoothed=None)
    for figure in load_snapshot().figures
    if figure.base_year == 2013 and figure.month.year == 2021
]
"""A window of which every figure is another one than is known."""
_PATIENCE = 60.0  # seconds; reached only when an alert does not fire
_TIMELY = {"BelrefDown", "BelrefErrors", "BelrefSlow", "BelrefEventLoopBlocked"}
"""What a machine that is busy with other things may do to a service that is well."""
_DATED = {"BelrefFiguresOverdue"}
"""What the date of this machine decides, for a service that knows what is bundled."""
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w+)", duration).groups()  # type: ignore[union-attr]  # promtool has read it
    return int(number) * _UNITS[unit]


def shortened(rules: str) -> str:
    """The same rules for people in a hurry: an hour of `for` is a second, and a window of five minutes is five."""
    read = yaml.safe_load(rules)
    for group in read["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = f"{max(milliseconds(rule['for']) // 3600, 1)}ms"
            rule["expr"] = re.sub(r"\[(\w+)\]", lambda window: f"[{milliseconds(window[1]) // 60}ms]", rule["expr"])
    return str(yaml.safe_dump(read))


def contradicted() -> list[Figure]:
    """What is bundled, and what was estimated in base 1988 since, published: one figure of it is another one."""
    known = IndexTable(load_snapshot().figures)
    months = [LAST_IN_1988.plus(number) for number in range(1, 22)]
    published = {month: Figure(month, 1988, known.figure(month, 1988).value) for month in months}
    return [*known.figures(), *{**published, WRONG.month: WRONG}.values()]


class Watch:
    """Somebody who looks at Prometheus again and again, and remembers which alerts fired."""

    def __init__(self, prometheus: PrometheusServer) -> None:
        self.prometheus = prometheus
        self.seen: list[tuple[Labels, Labels]] = []

    def names(self, job: str) -> set[str]:
        return {labels["alertname"] for labels, _ in self.seen if labels["job"] == job}

    def until(self, *alerts: str, meanwhile: Callable[[], object] = lambda: time.sleep(0.1)) -> None:
        """Go on until all of these have fired for the service in trouble."""
        end = time.monotonic() + _PATIENCE
        while missing := {*alerts} - self.names("belref"):
            assert time.monotonic() < end, f"{sorted(missing)} do not fire"
            meanwhile()
            self.seen += [each for each in self.prometheus.firing() if each not in self.seen]


class World:
    """A service that is well, and three of one job that are not."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.folder = folder
        self.postgres = stack.enter_context(thawed())
        migrate(self.postgres.dsn)
        with psycopg.connect(self.postgres.dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE empty")
        empty = self.postgres.dsn.removesuffix("/postgres") + "/empty"
        migrate(empty)
        for name, numbers in (("own", range(1000, 9000)), ("other", range(1000, 9999))):
            (folder / f"{name}.csv").write_text("".join(f"{number},{'AB'[number % 2]}\n" for number in numbers))

        def statbel() -> StatbelServer:
            return stack.enter_context(StatbelServer())

        contradicting, revising, dead, well = (statbel() for _ in range(4))
        figures = load_snapshot().figures
        well.publish(figures)
        contradicting.publish(contradicted())
        revising.publish(REVISED)
        for path in (OPEN_DATA, VIEW):
            dead.answer(path, UNAVAILABLE)

        own = {"RISK_TABLE_FILE": str(folder / "own.csv")}
        self.metrics_port, self.data = free_port(), folder / "data"
        crowded = {"MAX_CONNECTIONS": "1", "HEADER_SECONDS": "600", "METRICS_PORT": str(self.metrics_port)}
        services = {
            "well": reading(well, **own),
            "begun": reading(
                contradicting, DB_DSN=self.postgres.dsn, DB_TIMEOUT_SECONDS="1", REDIS_URL="redis://127.0.0.1:1/0"
            ),
            "empty": reading(revising, DB_DSN=empty, RUN_SEEDER="false"),
            "restored": reading(dead, DATA_DIR=str(self.data), **own, **crowded),
        }
        running = running_each({folder / name: settings for name, settings in services.items()})
        self.well, self.begun, self.empty, self.restored = stack.enter_context(running)

    @property
    def targets(self) -> Mapping[str, list[int]]:
        return {"well": [self.well.port], "belref": [self.begun.port, self.empty.port, self.metrics_port]}

    def restore(self) -> None:
        """Put an older log into the folder of releases, once the service knows a later one, as who restores half a
        backup does.
        """
        log = self.data / "log.jsonl"
        older = log.read_bytes()
        command = ("risk", "load", str(self.folder / "other.csv"), "--activate", "--force")
        loaded = run_belref(self.folder, *command, DATA_DIR=str(self.data), BELREF_OPERATOR="anna")
        assert loaded.returncode == 0, loaded.stderr
        with httpx2.Client() as client:
            address = f"http://127.0.0.1:{self.metrics_port}/metrics"
            wait_until(lambda: "0002-" in client.get(address).text or None, "the other table")
        log.write_bytes(older)

    @contextmanager
    def crowded(self) -> Iterator[Callable[[], None]]:
        """Somebody holds the one connection that there may be; gives what another client does, again and again."""
        address = ("127.0.0.1", self.restored.port)
        with socket.create_connection(address) as holder:
            holder.sendall(b"GET / HTTP/1.1\r\nHost: belref.test\r\n")

            def knock() -> None:
                with suppress(OSError), socket.create_connection(address, timeout=5) as other:
                    other.recv(1024)
                time.sleep(0.1)

            yield knock

    def stage(self) -> str:
        """Load a table without putting it into service; gives its release."""
        command = ("risk", "load", str(self.folder / "other.csv"))
        loaded = run_belref(self.folder, *command, DB_DSN=self.postgres.dsn, BELREF_OPERATOR="anna")
        assert loaded.returncode == 0, loaded.stderr
        answer = self.begun.client.get("/v1/releases").json()
        return str(next(each["id"] for each in answer["items"] if each["status"] == "staged"))

    def pause(self) -> None:
        """Take the CPU from a process for a moment, out of step with the half seconds of its timer and Prometheus."""
        os.kill(self.restored.process.pid, signal.SIGSTOP)
        time.sleep(0.6)
        os.kill(self.restored.process.pid, signal.SIGCONT)
        time.sleep(0.3)


@contextmanager
def thawed() -> Iterator[PostgresServer]:
    """A server that is awake again at the end, so that it can be ended."""
    with PostgresServer() as server:
        try:
            yield server
        finally:
            server.thaw()


def reading(source: StatbelServer, **settings: str) -> dict[str, str]:
    """These settings, for a service that reads this source."""
    return {"STATBEL_OPEN_DATA_URL": source.open_data_url, "STATBEL_VIEW_URLS": source.view_url, **settings}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def queries() -> list[tuple[str, str]]:
    """Every query of the dashboard with its legend, for every job and replica, over a minute."""
    variables = {"$job": ".*", "$instance": ".*", "$__rate_interval": "1m"}
    targets: list[dict[str, Any]] = [
        target for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel.get("targets", [])
    ]
    found = []
    for target in targets:
        expression = target["expr"]
        for name, value in variables.items():
            expression = expression.replace(name, value)
        found.append((expression, target["legendFormat"]))
    return found


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus on the PATH")
def test_every_alert_fires_for_what_it_is_for_and_the_dashboard_shows_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = World(stack, tmp_path)
        prometheus = stack.enter_context(PrometheusServer(tmp_path, world.targets, shortened(RULES.read_text())))
        watch = Watch(prometheus)
        staged = world.stage()
        for _ in range(3):
            world.begun.client.get("/index")
            world.begun.client.get("/metrics")
        world.restore()
        watch.until("BelrefNotReady", "BelrefStatbelRevised")
        assert world.empty.terminate() == 0
        world.postgres.freeze()
        with world.crowded() as knock:
            watch.until(
                *("BelrefFiguresOverdue", "BelrefStatbelUnread", "BelrefEstimateContradicted", "BelrefSampleTable"),
                *("BelrefTableNotReloaded", "BelrefReplicasDisagree", "BelrefRedisUnreachable"),
                "BelrefConnectionsRefused",
                meanwhile=knock,
            )
        watch.until("BelrefEventLoopBlocked", meanwhile=world.pause)
        question = f"/v1/zipcodes/1315?release={staged}"
        watch.until(
            *("BelrefDown", "BelrefErrors", "BelrefSlow", "BelrefStoreUnheard", "BelrefFiguresNotKept"),
            meanwhile=lambda: world.begun.client.get(question),
        )
        assert watch.names("belref") == {*ALERTS}
        assert watch.names("well") - _TIMELY <= _DATED
        for _, annotations in watch.seen:
            assert "error" not in annotations["summary"].replace("an error of the service", "")

        for expression, legend in queries():
            found = prometheus.query(expression)
            assert found, f"nothing is found by {expression}"
            assert {*re.findall(r"{{(\w+)}}", legend)} <= {*found[0]}, expression
