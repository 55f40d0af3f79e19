"""A real Prometheus on this machine, from the `prometheus` on the PATH: it listens on 127.0.0.1 and keeps its data in a
folder of the test's.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2

_PATIENCE = 20.0  # seconds; reached only when it does not start

Labels = Mapping[str, str]


class PrometheusServer:
    """Scrapes targets twice a second, and evaluates rules as often, while its context is open."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[int]], rules: str) -> None:
        """`targets` are ports of this machine, by job.

        :raises FileNotFoundError: where there is no Prometheus
        """
        binary = shutil.which("prometheus")
        if binary is None:
            raise FileNotFoundError("there is no prometheus on the PATH (Debian: apt-get install prometheus)")
        self._binary, self._folder = binary, folder
        (folder / "rules.yml").write_text(rules)
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in targets.items()
        ]
        timing = {"scrape_interval": "500ms", "scrape_timeout": "450ms", "evaluation_interval": "500ms"}
        configuration = {"global": timing, "rule_files": ["rules.yml"], "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(json.dumps(configuration))  # which is YAML, too

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._log = (self._folder / "prometheus.log").open("wb")
        command = [
            self._binary,
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def firing(self) -> list[tuple[Labels, Labels]]:
        """The labels and the annotations of every alert that fires."""
        alerts = self._get("/api/v1/alerts")["alerts"]
        return [(each["labels"], each["annotations"]) for each in alerts if each["state"] == "firing"]

    def query(self, expression: str) -> list[Labels]:
        """The labels of every series that an expression gives now.

        :raises AssertionError: for one that Prometheus does not understand
        """
        return [each["metric"] for each in self._get("/api/v1/query", query=expression)["result"]]

    def _get(self, path: str, **parameters: str) -> Any:
        answer = self._client.get(path, params=parameters).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]

    def _wait(self) -> None:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if self._client.get("/-/ready").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"Prometheus did not start:\n{(self._folder / 'prometheus.log').read_text()[-2000:]}")
