"""Processes of a benchmark that are told what to do by lines of JSON.

Each reads its standard input, answers every line with a line, and stops when that input ends: so it ends with the
process that started it, however that ends.
"""

import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec

ROOT = Path(__file__).parents[1]
_PATIENCE = 15.0  # seconds; reached only when something is broken


class Child:
    """Runs a module while its context is open."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None:
            self._process.terminate()
        try:
            self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def exchange(self, order: object) -> str:
        """Give it an order, which unlike arguments and environment may hold secrets, and wait for its answer.

        :raises RuntimeError: when it stopped, or did not know the order
        """
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            print(msgspec.json.encode(order).decode(), file=to, flush=True)
        except BrokenPipeError:
            answer = ""
        else:
            answer = back.readline()
        if not answer:
            raise RuntimeError(f"{self._name} did not start, or stopped")
        return answer


class ServerProcess(Child):
    """Serves an application on a free port of 127.0.0.1 while its context is open."""

    def __init__(self, make: str, **options: object) -> None:
        """`make` names what makes the application of the options, as `module:function`."""
        super().__init__("benchmarks.server", make)
        self._order = {"make": make, "options": options}
        self.port = 0

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.port = int(self.exchange(self._order))
        except RuntimeError as error:
            self.__exit__(type(error))
            raise
        return self


def resident(pid: int) -> int:
    """Bytes of a process that are in memory; Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
