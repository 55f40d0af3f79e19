"""Programs of others, where they are installed (Debian: nginx-light and wrk): a server to compare with, and a load
generator that a stranger knows.
"""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.load import Measured, cpu_seconds

WITH_NGINX, WITH_WRK = (shutil.which(name) is not None for name in ("nginx", "wrk"))
_OWN = {"content-type", "content-length"}  # of the headers that it is given, those that nginx writes itself
_PATIENCE = 10.0  # seconds; reached only when something is broken
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; server_tokens off; keepalive_timeout 1h; keepalive_requests 1000000000; {folders}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{ default_type {type}; {headers} return 200 {body}; }}
  }}
}}
"""
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Nginx(NamedTuple):
    """One worker, which is its only process."""

    port: int
    pid: int


@contextmanager
def nginx(headers: Sequence[tuple[str, str]], body: bytes) -> Iterator[Nginx]:
    """Have nginx send this answer to everybody, from a temporary folder and without a log.

    :raises RuntimeError: with what it says when it does not start
    """
    with tempfile.TemporaryDirectory(prefix="belref-nginx-") as name, socket.create_server(("127.0.0.1", 0)) as free:
        folder, port = Path(name), free.getsockname()[1]
        free.close()
        parts = {
            "type": _quoted(dict(headers)["content-type"]),
            "headers": " ".join(f"add_header {name} {_quoted(value)};" for name, value in headers if name not in _OWN),
            "body": _quoted(body.decode()),
            "folders": " ".join(
                f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
        }
        configuration, log = folder / "nginx.conf", folder / "error.log"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, **parts), "utf-8")
        command = ["nginx", "-e", str(log), "-c", str(configuration)]
        with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
            try:
                if not _answers(port, process):
                    raise RuntimeError(f"nginx did not start: {log.read_text('utf-8', 'replace')}")
                yield Nginx(port, process.pid)
            finally:
                process.terminate()


def _quoted(text: str) -> str:
    """As its configuration writes a text; a dollar sign would begin a variable, and cannot be escaped."""
    if "$" in text:
        raise ValueError(f"nginx cannot send {text!r}: it has a dollar sign")
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.01)
    return False


class Listening(Protocol):
    """A process that serves on a port of this machine."""

    @property
    def port(self) -> int: ...

    @property
    def pid(self) -> int: ...


def wrk(server: Listening, path: str, *, clients: int, seconds: int) -> Measured:
    """What wrk counts on one thread, and the CPU that the server took meanwhile."""
    before = cpu_seconds(server.pid)
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{server.port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + _PATIENCE).stdout
    return counted_by_wrk(said, cpu_seconds(server.pid) - before)


def counted_by_wrk(said: str, cpu: float) -> Measured:
    """Read what wrk prints. It rounds bytes, and has no percentile beyond the 99th."""
    count, took, unit = _found(r"(\d+) requests in ([\d.]+)(us|ms|s),", said)
    quantiles = [_found(rf"\s{share}%\s+([\d.]+)(us|ms|s)\b", said) for share in (50, 99)]
    p50, p99 = (float(value) * _UNITS[unit] for value, unit in quantiles)
    bad = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)))
    return Measured(
        seconds=float(took) * _UNITS[unit],
        answered=int(count),
        p50=p50,
        p99=p99,
        errors={"by wrk": bad} if bad else {},
        cpu={"server": cpu, "load": 0.0},
    )


def _found(pattern: str, said: str) -> tuple[str, ...]:
    match = re.search(pattern, said)
    if match is None:
        raise RuntimeError(f"wrk said something else than expected: {said}")
    return match.groups()
