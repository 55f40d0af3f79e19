"""The override of the compose file that integration tests run on."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
OVERRIDE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.test.yml").read_text("utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def test_it_publishes_the_stores_and_changes_nothing_else() -> None:
    assert set(OVERRIDE) == {"services", "networks"}
    assert set(OVERRIDE["services"]) == {"postgres", "redis"} <= set(BASE["services"])
    for service in OVERRIDE["services"].values():
        assert set(service) == {"networks", "ports"}


def test_only_this_machine_reaches_them() -> None:
    ports = [port for service in OVERRIDE["services"].values() for port in service["ports"]]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_they_are_on_a_network_with_a_way_in() -> None:
    internal = {name for name, network in BASE["networks"].items() if network and network.get("internal")}
    for name, service in OVERRIDE["services"].items():
        assert set(BASE["services"][name]["networks"]) <= internal
        assert set(service["networks"]) - internal == {"published"} == set(OVERRIDE["networks"])


def test_the_tests_are_told_where_they_are() -> None:
    published = {port.rpartition(":")[0] for service in OVERRIDE["services"].values() for port in service["ports"]}
    assert set(re.findall(r"TEST_\w+=\S*?(127\.0\.0\.1:\d+)", MAKEFILE)) == published
