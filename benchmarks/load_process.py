"""What the load generator's process does: it reads loads as lines of JSON, and answers each with what it measured.

Where an answer starts and ends is found by the HTTP parser that uvicorn uses as well.
"""

import asyncio
import contextlib
import gc
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import IO, cast

import httptools
import uvloop
from benchmarks.load import Load, Measured, cpu_seconds, quantile

# A server whose event loop is kept waiting may take in one new connection a turn: all are to be in before that starts.
_TAKING_IN = 0.1


class Run:
    """One load under way: what all its clients share."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.tasks: set[asyncio.Task[None]] = set()
        self.all_connected, self.all_warm = asyncio.Event(), asyncio.Event()
        self.enough, self.full, self.quiet = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.errors: Counter[str] = Counter()
        self._requests = [
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n\r\n".encode("ascii") for path in load.paths
        ]
        self._sent = self._flying = self._answered = self._in_window = 0
        self._at_the_start: list[_Client] | None = []
        self._warm: set[int] = set()
        self._latencies: list[float] = []
        self._opened = self._closed = math.inf

    def next_request(self) -> bytes | None:
        """What a free client is to send; None when it is over."""
        if self._closed < math.inf or self._sent >= self.load.at_most:
            self.full.set()
            self.enough.set()
            return None
        self._sent += 1
        self._flying += 1
        return self._requests[self._sent % len(self._requests)]

    def landed(self, client: int, sent: float, kind: str) -> None:
        """An answer came, or never will; `kind` is empty for a good one."""
        now = time.perf_counter()
        in_window = self._opened <= now < self._closed
        self._flying -= 1
        self._in_window += in_window
        if self._in_window >= self.load.at_least:
            self.enough.set()
        if len(self._warm) < self.load.clients:
            self._warm.add(client)
            if len(self._warm) == self.load.clients:
                self.all_warm.set()
        if kind:
            self.errors[kind] += in_window
        else:
            self._answered += in_window
            if sent >= self._opened:
                self._latencies.append(now - sent)
        if not self._flying:
            self.quiet.set()

    def connected(self, client: "_Client") -> None:
        if self._at_the_start is None:
            client.ask()
            return
        self._at_the_start.append(client)
        if len(self._at_the_start) == self.load.clients:
            self.all_connected.set()

    def connect(self, client: int) -> None:
        task = asyncio.create_task(self._connect(client))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _connect(self, client: int) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: _Client(self, client), "127.0.0.1", self.load.port)
        except OSError:
            self.errors["not connected"] += 1
            await asyncio.sleep(0.05)
            if self._closed == math.inf:
                self.connect(client)

    async def measure(self) -> Measured:
        load = self.load
        for client in range(load.clients):
            self.connect(client)
        await _at_most(load.patience, self.all_connected)
        await asyncio.sleep(_TAKING_IN)
        starting, self._at_the_start = self._at_the_start or [], None
        for waiting in starting:
            waiting.ask()
        await asyncio.sleep(load.warm_up)
        await _at_most(load.patience, self.all_warm)
        before = _cpu(load.watch)
        self._opened = time.perf_counter()
        await _at_most(load.seconds, self.full)
        await _at_most(load.patience, self.enough)
        self._closed = time.perf_counter()
        after = _cpu(load.watch)
        self.quiet.clear()
        if self._flying:
            await _at_most(load.patience, self.quiet)
            self.errors["unanswered"] += self._flying
        self._latencies.sort()
        return Measured(
            seconds=self._closed - self._opened,
            answered=self._answered,
            p50=quantile(self._latencies, 0.50),
            p99=quantile(self._latencies, 0.99),
            errors={kind: count for kind, count in self.errors.items() if count},
            cpu={name: round(after[name] - before[name], 6) for name in before},
        )


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: Run, number: int) -> None:
        self._run, self._number = run, number
        self._sent: float | None = None
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own does not inherit from it
        self._run.connected(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._land("not HTTP")
            self._transport.abort()

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self._land("" if status == 200 else str(status))
        if self._parser.should_keep_alive():
            self.ask()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost does not matter
        self._land("disconnected")
        if not self._run.full.is_set():
            self._run.connect(self._number)

    def ask(self) -> None:
        """Send the next request, or leave when there is none."""
        request = self._run.next_request()
        if request is None:
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(request)

    def _land(self, kind: str) -> None:
        if self._sent is not None:
            sent, self._sent = self._sent, None
            self._run.landed(self._number, sent, kind)


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _cpu(watch: Mapping[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in watch.items()} | {"load": time.process_time()}


def _serve(loads: Iterable[str], results: IO[str]) -> None:
    """Measure one load after the other, one line of JSON each."""
    gc.disable()
    for line in loads:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

            async def main(load: Load) -> Measured:
                return await Run(load).measure()

            measured = runner.run(main(Load(**json.loads(line))))
        print(json.dumps(asdict(measured)), file=results, flush=True)
        gc.collect()


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
