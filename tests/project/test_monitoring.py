"""The rules and the dashboard for Prometheus, as far as that goes without a service; see integration/test_alerts.py."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.container import Container
from entrypoints.http.app import keep_answers
from entrypoints.lag import loop_lag_measured
from entrypoints.metrics import exposition
from entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
TESTS = RULES.with_name("rules.test.yml")
DASHBOARD = ROOT / "deploy" / "grafana" / "belref.json"
PAGE = ROOT / "docs" / "monitoring.md"

_NAME = re.compile(r"\b(?:belref|process)_[a-z_]+[a-z]\b")
_FEATURES = ("_total", "_bucket", "_count", "_sum", "_info")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool on the PATH (Debian: apt-get install prometheus)"
)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def promtool(*arguments: str | Path) -> None:
    program = shutil.which("promtool")
    assert program is not None
    ended = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def family(name: str) -> str:
    return next((name.removesuffix(each) for each in _FEATURES if name.endswith(each)), name)


async def families() -> set[str]:
    """The metrics of a service, without the endings that say what is told of each."""
    container = Container(settings=Settings())
    await container.seeding().seed(container.draft_to_seed(), "tester")
    keep_answers(container.index(), container.risks(), container.clock(), container.metrics())
    async with loop_lag_measured(container.metrics()):
        body, _ = await exposition(container.metrics(), "")
    names = re.findall(r"^# TYPE (\S+)", body.decode(), re.MULTILINE)
    return {family(name) for name in names if not name.endswith("_created")}


class TestRules:
    @needs_promtool
    def test_prometheus_understands_them(self) -> None:
        promtool("check", "rules", RULES)

    @needs_promtool
    def test_each_fires_when_it_should_and_only_then(self) -> None:
        promtool("test", "rules", TESTS)

    def test_each_is_tried(self) -> None:
        tried = TESTS.read_text()
        assert [rule["alert"] for rule in rules() if rule["alert"] not in tried] == []

    def test_each_says_what_to_do_and_where_more_is_said(self) -> None:
        headings = re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE)
        assert headings == [rule["alert"] for rule in rules()]
        for rule in rules():
            assert rule["labels"]["severity"] in {"critical", "warning"}
            notes = rule["annotations"]
            assert notes["summary"]
            assert len(notes["description"]) > 80
            assert notes["runbook_url"] == f"docs/monitoring.md#{rule['alert'].lower()}"

    async def test_each_metric_in_them_exists(self) -> None:
        named = {family(name) for rule in rules() for name in _NAME.findall(rule["expr"])}
        assert named - await families() == set()


class TestDashboard:
    async def test_each_metric_in_it_exists_and_each_that_exists_is_in_it(self) -> None:
        queries = [target["expr"] for panel in panels() for target in panel.get("targets", [])]
        named = {family(name) for query in queries for name in _NAME.findall(query)}
        every = await families()
        assert named - every == set()
        assert every - named == {"process_virtual_memory_bytes"}

    def test_its_rows_are_questions(self) -> None:
        titles = [panel["title"] for panel in panels() if panel["type"] == "row"]
        assert len(titles) >= 5
        assert all(title.endswith("?") for title in titles)

    def test_each_query_asks_the_prometheus_and_the_replicas_that_were_chosen(self) -> None:
        for panel in panels():
            for target in panel.get("targets", []):
                assert target["datasource"]["uid"] == "${datasource}"
                assert 'job=~"$job"' in target["expr"]

    def test_no_panel_covers_another(self) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in panels():
            at = panel["gridPos"]
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


class TestPage:
    async def test_each_metric_is_explained(self) -> None:
        explained = {family(name) for name in _NAME.findall(PAGE.read_text())}
        ours = {name for name in await families() if name.startswith("belref_")}
        assert ours - explained == set()
