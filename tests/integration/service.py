"""The service as its users run it: a process of its own, spoken to over HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2

BELREF = Path(os.environ.get("BELREF_TEST_PROGRAM") or Path(sys.executable).with_name("belref"))
"""The command, here or in another environment, such as one without the packages of developers."""
Found = TypeVar("Found")
_LOG = "service.log"
_PATIENCE = 20.0  # seconds; reached only when something is broken


class Service:
    """A running `belref serve` on a free port of this machine."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.port = self._port()
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=10)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines() if line.startswith("{")]

    def wait_for_line(self, event: str, **values: object) -> dict[str, Any]:
        """The first log line of this event with these values."""

        def found() -> dict[str, Any] | None:
            lines = (line for line in self.lines() if line["event"] == event)
            return next((line for line in lines if all(line.get(k) == v for k, v in values.items())), None)

        return wait_until(found, f"a log line '{event}' {values}: {self.text()}")

    def text(self) -> str:
        return self._log.read_text("utf-8")

    def terminate(self) -> int:
        """Send SIGTERM and wait for the end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE)

    def freeze(self) -> None:
        """From now on connections are accepted and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def _port(self) -> int:
        def port() -> int | None:
            if self.process.poll() is not None:
                raise AssertionError(f"it stopped with {self.process.returncode}: {self.text()}")
            running = [line for line in self.lines() if line["event"].startswith("Uvicorn running on")]
            return int(running[0]["event"].split(":")[2].split(" ")[0]) if running else None

        return wait_until(port, "the port it listens on")


def wait_until(look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {_PATIENCE} s for {what}")


@contextmanager
def running_service(folder: Path, **settings: str) -> Iterator[Service]:
    """Serve from `folder` with these settings and no others, until the block ends."""
    with running_services([folder], **settings) as services:
        yield services[0]


@contextmanager
def running_services(folders: Sequence[Path], **settings: str) -> Iterator[Sequence[Service]]:
    """Serve from each of the folders; they are started, and in the end stopped, all at once."""
    with running_each(dict.fromkeys(folders, settings)) as services:
        yield services


@contextmanager
def running_each(settings: Mapping[Path, Mapping[str, str]]) -> Iterator[Sequence[Service]]:
    """Serve from each of the folders with settings of its own, all at once."""
    with ExitStack() as stack:
        processes = [(stack.enter_context(_process(folder, **own)), folder) for folder, own in settings.items()]
        services = [Service(process, folder / _LOG) for process, folder in processes]
        for service in services:
            stack.enter_context(service.client)
        yield services
        for process, _ in processes:
            process.terminate()


@contextmanager
def _process(folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(exist_ok=True)
    with (folder / _LOG).open("wb") as output:
        process = subprocess.Popen(
            [BELREF, "serve"], cwd=folder, env=environment(PORT="0", **settings), stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment(**settings: str) -> dict[str, str]:
    """The environment of a process: these settings, and of ours what is no setting of the service's."""
    kept = {"PATH", "HOME", "LANG", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"}
    uncached = {"RESPONSE_CACHE": "false"} if os.environ.get("BELREF_TEST_RESPONSE_CACHE") == "off" else {}
    return {name: value for name, value in os.environ.items() if name in kept} | uncached | settings


def run_belref(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `belref` to its end."""
    return subprocess.run(
        [BELREF, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
