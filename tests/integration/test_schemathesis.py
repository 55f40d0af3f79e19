"""The running service against its own description."""

import subprocess
import sys
from pathlib import Path

from tests.integration.service import environment, running_service


def test_generated_requests_find_no_5xx_and_nothing_undocumented(tmp_path: Path) -> None:
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot") as service:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                "run",
                f"{service.client.base_url}/schema/openapi.json",
                "--phases=examples,coverage,fuzzing",
                "--max-examples=10",
                "--generation-deterministic",
                # A base year is a whole number like any other until the data says that it is none: then it is a 400.
                "--exclude-checks=positive_data_acceptance",
                "--no-color",
            ],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "12 passed" in done.stdout, done.stdout
        assert not [line for line in service.lines() if line["level"] == "error"]
