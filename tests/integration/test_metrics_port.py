"""`METRICS_PORT`: figures about the service on a port of their own, or nowhere."""

import socket
import subprocess
from pathlib import Path

import httpx2
from tests.integration.service import BELREF, environment, running_service


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_they_are_on_that_port_and_on_no_other(tmp_path: Path) -> None:
    port = free_port()
    with running_service(tmp_path, METRICS_PORT=str(port), HEALTH_INDEX_SOURCE="snapshot") as service:
        assert service.client.get("/index").status_code == 200
        assert service.client.get("/metrics").status_code == 404
        answer = httpx2.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.status_code == 200
        assert 'belref_request_seconds_count{method="GET",route="/index",status="200"} 1.0' in answer.text
        assert httpx2.get(f"http://127.0.0.1:{port}/index").status_code == 404
        assert service.wait_for_line("metrics on a port of their own")["port"] == port
        assert service.terminate() == 0


def test_they_are_nowhere_for_zero(tmp_path: Path) -> None:
    with running_service(tmp_path, METRICS_PORT="0", HEALTH_INDEX_SOURCE="snapshot") as service:
        assert service.client.get("/metrics").status_code == 404


def test_a_port_that_is_taken_is_named_and_nothing_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = environment(PORT="0", METRICS_PORT=port, HEALTH_INDEX_SOURCE="snapshot")
        ended = subprocess.run(
            [BELREF, "serve"], cwd=tmp_path, env=settings, capture_output=True, text=True, check=False, timeout=60
        )
    assert ended.returncode != 0
    assert f"METRICS_PORT: 127.0.0.1:{port} cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
