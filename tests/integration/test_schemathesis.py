"""The running service against its own description."""

import subprocess
import sys
from pathlib import Path

from tests.integration.service import environment, running_service

# In a batch, what is wrong with one case is a problem in its place, and the others are answered. The page for people
# shows a field that is wrong again, with a message beside it.
CONFIG = """
[[operations]]
include-tag = ["indexation", "zipcodes"]
include-method = "POST"
checks.negative_data_rejection.enabled = false

[[operations]]
include-path = "/"
checks.negative_data_rejection.enabled = false
"""


def test_generated_requests_find_no_5xx_and_nothing_undocumented(tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot") as service:
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                f"--config-file={config}",
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
        paths = service.client.get("/schema/openapi.json").json()["paths"]
        operations = sum(len({"get", "post"} & set(path)) for path in paths.values())
        assert f"{operations} passed" in done.stdout, done.stdout
        assert not [line for line in service.lines() if line["level"] == "error"]
