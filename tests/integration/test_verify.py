"""The acceptance test of an operator, run as he runs it: a command against an address."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.integration.postgres_databases import Database
from tests.integration.service import BELREF, running_service


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BELREF, "verify", *arguments], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("store", ["memory", "folder"])
def test_a_service_without_servers_keeps_its_promises(tmp_path: Path, store: str) -> None:
    settings = {"DATA_DIR": str(tmp_path / "releases")} if store == "folder" else {}
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot", **settings) as service:
        found = verify(str(service.client.base_url), "--json")
    told = json.loads(found.stdout)
    assert [check for check in told["checks"] if check["outcome"] != "ok"] == []
    assert (found.returncode, told["failed"]) == (0, 0)


def test_a_service_on_postgres_keeps_its_promises_and_answers_like_another(tmp_path: Path, database: Database) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    common = {"HEALTH_INDEX_SOURCE": "snapshot"}
    with (
        running_service(tmp_path / "one", DB_DSN=database.service, **common) as one,
        running_service(tmp_path / "other", **common) as other,
    ):
        lines = verify(str(one.client.base_url))
        assert (lines.returncode, "failed  " in lines.stdout) == (0, False), lines.stdout
        compared = verify(str(one.client.base_url), "--against", str(other.client.base_url))
        assert compared.returncode == 0, compared.stdout


def test_nobody_at_the_address_ends_with_3() -> None:
    found = verify("http://127.0.0.1:9")
    assert (found.returncode, "does not answer" in found.stderr) == (3, True)
