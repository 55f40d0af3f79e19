"""A real HAProxy on this machine, with the file that the compose file gives it.

Only what cannot be the same here is rewritten: where it listens, where the replicas are, and numbers that a test
changes. Each thing that is rewritten has to be in the file, once.
"""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

SHIPPED = Path(__file__).parents[2] / "deploy" / "compose" / "haproxy.cfg"
BINARY = shutil.which("haproxy")
_PATIENCE = 10.0  # seconds; reached only when something is broken
_FOUND_BY_NAME = "    server-template replica- 10 api:5000\n"


class HAProxyServer:
    """Runs while its context is open, in front of the replicas on these ports of this machine."""

    def __init__(self, folder: Path, replicas: Sequence[int], *, rate: str = "", **numbers: str) -> None:
        """`numbers` are other values: `http_request="1s"` for `timeout http-request` and so on, see `_NUMBERS`."""
        self._folder, self._replicas, self._rate, self._numbers = folder, replicas, rate, numbers

    def __enter__(self) -> Self:
        assert BINARY is not None
        # Sockets that are bound already: nobody else can take their ports in between.
        sockets = [socket.create_server(("127.0.0.1", 0), backlog=1024) for _ in range(3)]
        self.port, self.relayed_port, health = (each.getsockname()[1] for each in sockets)
        public, relayed, asked = (each.fileno() for each in sockets)
        for each in sockets:
            each.set_inheritable(True)
        config = self._folder / "haproxy.cfg"
        config.write_text(rewritten(self._replicas, public, relayed, asked, self._numbers), "utf-8")
        self._log = self._folder / "haproxy.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "-db", "-f", config],
                env={"CLIENT_RATE": self._rate},
                stdout=log,
                stderr=log,
                pass_fds=(public, relayed, asked),
            )
        for each in sockets:
            each.close()
        try:
            self._wait(health)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far of requests."""
        return [json.loads(line) for line in self._log.read_text("utf-8").splitlines() if line.startswith("{")]

    def _wait(self, health: int) -> None:
        """Return once it says that a replica lives."""
        end = time.monotonic() + _PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            with socket.create_connection(("127.0.0.1", health), _PATIENCE) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                if connection.recv(1024).startswith(b"HTTP/1.1 200"):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"HAProxy did not start:\n{self._log.read_text('utf-8', 'replace')[-2000:]}")


_NUMBERS = {
    "http_request": ("    timeout http-request {}\n", "5s"),
    "body": ("    http-request wait-for-body time {}\n", "10s"),
    "server": ("    timeout server {}\n", "10s"),
    "checks": (" check inter {} fastinter ", "2s"),
    "connections": ("    tcp-request session reject if {{ sc0_conn_cur gt {} }}\n", "1000"),
}
"""Numbers of the file that a test may change: the words that each stands in, and its value."""


def rewritten(replicas: Sequence[int], public: int, relayed: int, health: int, numbers: Mapping[str, str]) -> str:
    """The shipped file, with inherited sockets to listen on, and replicas on ports of this machine.

    What comes to `relayed` says by the PROXY protocol from which address it is.
    """
    text = SHIPPED.read_text("utf-8")
    servers = "".join(f"    server replica-{port} 127.0.0.1:{port}\n" for port in replicas)
    changes = [
        ("    bind :8080\n", f"    bind fd@{public}\n    bind fd@{relayed} accept-proxy\n"),
        ("    bind 127.0.0.1:8081\n", f"    bind fd@{health}\n"),
        (_FOUND_BY_NAME, servers),
        *(
            (_NUMBERS[name][0].format(_NUMBERS[name][1]), _NUMBERS[name][0].format(new))
            for name, new in numbers.items()
        ),
    ]
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{SHIPPED.name} has {text.count(old)} lines {old.strip()!r}, not 1")
        text = text.replace(old, new)
    return text
