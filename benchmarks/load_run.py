"""The load generator's process: it reads orders as lines of JSON, and answers each with what it measured.

Clients ask again as soon as they have an answer. Requests are made beforehand. Where an answer starts and ends is found
by the HTTP parser that uvicorn uses as well.
"""

import asyncio
import gc
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple, cast

import httptools
import msgspec
import uvloop
from benchmarks.load import Load, Measured, Order, Request, cpu_seconds, quantile

# A server whose event loop is kept waiting may take in one new connection a turn: all are to be in before that starts.
_TAKING_IN = 0.1  # seconds
_LOOK = 0.002  # seconds between two looks at what is waited for
_SETTLING = 0.2  # of a window of a comparison: how long is asked before it opens


class Prepared(NamedTuple):
    """The bytes of a request, and the status of a good answer."""

    data: bytes
    status: int


def _prepare(request: Request, port: int) -> Prepared:
    """As HTTP/1.1 writes it."""
    headers = {"Host": f"127.0.0.1:{port}", **request.all_headers()}
    lines = [f"{request.method} {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "".join(f"{line}\r\n" for line in (*lines, ""))
    return Prepared(head.encode("ascii") + request.body.encode(), request.status)


class Run:
    """One load under way: what all its clients share.

    While it rests, clients wait; answers count while its window is open, which it may be several times.
    """

    def __init__(self, load: Load, client: "Callable[[Run, int], Client] | None" = None) -> None:
        self.load, self._client = load, client or Client
        self.resting: list[Client] | None = []
        self.over = False
        self.sent = self.landed_in_all = self.in_window = 0
        self._requests = [_prepare(each, load.port) for each in load.requests]
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: Counter[str] = Counter()
        self._flying = self._answered = self._received = 0
        self._warm: set[int] = set()
        self._latencies: list[float] = []
        self._opened = self._closed = math.inf
        self._seconds = self._own_cpu = 0.0

    def next_request(self) -> Prepared | None:
        """What a free client is to send; None when it is over."""
        sent = self.sent
        if self.over or sent >= self.load.at_most:
            return None
        self.sent = sent + 1
        self._flying += 1
        return self._requests[sent % len(self._requests)]

    def landed(self, client: int, sent: float, now: float, kind: str, size: int) -> None:
        """An answer came, or never will; `kind` is empty for a good one."""
        self._flying -= 1
        self.landed_in_all += 1
        if self._opened <= now < self._closed:
            self.in_window += 1
            if kind:
                self._errors[kind] += 1
            else:
                self._answered += 1
                self._received += size
        elif len(self._warm) < self.load.clients:
            self._warm.add(client)
        # Of those that were sent in a window, the slow ones come when it is closed.
        if not kind and self._opened <= sent < self._closed:
            self._latencies.append(now - sent)

    def connect(self, client: int) -> None:
        task = asyncio.create_task(self._connect(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: int) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self._client(self, client), "127.0.0.1", self.load.port)
        except OSError:
            self._errors["not connected"] += 1
            await asyncio.sleep(0.05)
            if not self.over:
                self.connect(client)

    async def assemble(self) -> None:
        """All clients connect, and rest."""
        for client in range(self.load.clients):
            self.connect(client)
        await self.until(lambda: len(self.resting or ()) >= self.load.clients)

    async def warm_up(self) -> None:
        """Ask until every client has had an answer, and for the time of a warm-up at least."""
        self.go()
        await asyncio.sleep(self.load.warm_up)
        await self.until(lambda: len(self._warm) == self.load.clients or self.exhausted)

    def go(self) -> None:
        starting, self.resting = self.resting or [], None
        for client in starting:
            client.ask(time.perf_counter())

    async def halt(self) -> None:
        """Nobody asks any more, and what is under way is waited for."""
        self.resting = []
        await self.until(lambda: not self._flying)

    def open(self) -> None:
        self._own_cpu -= time.process_time()
        self._closed = math.inf
        self._opened = time.perf_counter()

    def close(self) -> None:
        self._closed = time.perf_counter()
        self._seconds += self._closed - self._opened
        self._own_cpu += time.process_time()

    async def end(self) -> None:
        """The clients leave."""
        self.over = True
        await self.until(lambda: not self._flying)
        self._errors["unanswered"] += self._flying
        self.go()

    @property
    def exhausted(self) -> bool:
        """Whether all that may be asked was, and a client is free."""
        return self.sent >= self.load.at_most and self._flying < self.load.clients

    async def until(self, condition: Callable[[], bool], seconds: float | None = None) -> None:
        """Wait for it, but no longer than that, or than the patience of the load."""
        end = time.perf_counter() + (self.load.patience if seconds is None else seconds)
        while not condition() and time.perf_counter() < end:  # noqa: ASYNC110 - one look for many conditions
            await asyncio.sleep(_LOOK)

    def measured(self, cpu: Mapping[str, float]) -> Measured:
        """`cpu` is what the others took in the window."""
        self._latencies.sort()
        return Measured(
            seconds=self._seconds,
            answered=self._answered,
            p50=quantile(self._latencies, 0.50),
            p99=quantile(self._latencies, 0.99),
            p999=quantile(self._latencies, 0.999),
            errors={kind: count for kind, count in self._errors.items() if count},
            cpu={**{name: round(seconds, 6) for name, seconds in cpu.items()}, "load": round(self._own_cpu, 6)},
            received=self._received,
        )


class Client(asyncio.Protocol):
    """One connection, with one request under way at a time."""

    def __init__(self, run: Run, number: int) -> None:
        self._run, self._number = run, number
        self._sent: float | None = None
        self._good = self._size = 0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own does not inherit from it
        self.ask(0.0)

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._land("not HTTP", time.perf_counter())
            self._transport.abort()

    def on_message_complete(self) -> None:
        now, status = time.perf_counter(), self._parser.get_status_code()
        self._land("" if status == self._good else str(status), now)
        if self._parser.should_keep_alive():
            self.ask(now)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it was lost does not matter
        self._land("disconnected", time.perf_counter())
        if not self._run.exhausted and not self._run.over:
            self._run.connect(self._number)

    def ask(self, now: float) -> None:
        """Send the next request, or wait while nobody is to ask, or leave when there is none."""
        if self._run.resting is not None and not self._run.over:
            self._run.resting.append(self)
            return
        request = self._run.next_request()
        if request is None:
            self._transport.close()
        else:
            self._good, self._sent, self._size = request.status, now, 0
            self._transport.write(request.data)

    def _land(self, kind: str, now: float) -> None:
        if self._sent is not None:
            sent, self._sent = self._sent, None
            self._run.landed(self._number, sent, now, kind, self._size)


async def measure(load: Load, client: "Callable[[Run, int], Client] | None" = None) -> Measured:
    """One load, in one window, by clients of this kind."""
    run = Run(load, client)
    await run.assemble()
    await asyncio.sleep(_TAKING_IN)
    await run.warm_up()
    before = _cpu(load.watch)
    run.open()
    await run.until(lambda: run.exhausted, load.seconds)
    await run.until(lambda: run.exhausted or run.in_window >= load.at_least)
    run.close()
    after = _cpu(load.watch)
    await run.end()
    return run.measured({name: after[name] - before[name] for name in before})


async def compare(loads: Sequence[Load], part: float) -> list[Measured]:
    """Several loads by turns, each in windows of `part` seconds."""
    runs = [Run(load) for load in loads]
    for run in runs:
        await run.assemble()
    await asyncio.sleep(_TAKING_IN)
    for run in runs:
        await run.warm_up()
        await run.halt()
    counts = [run.landed_in_all for run in runs]
    before = [_cpu(run.load.watch) for run in runs]
    for turn in range(max(math.ceil(run.load.seconds / part) for run in runs)):
        for run in runs if turn % 2 == 0 else reversed(runs):
            run.go()
            await asyncio.sleep(part * _SETTLING)
            run.open()
            await asyncio.sleep(part)
            run.close()
            await run.halt()
    after = [_cpu(run.load.watch) for run in runs]
    found = []
    for run, landed, first, last in zip(runs, counts, before, after, strict=True):
        await run.end()
        measured = run.measured({})
        # Who is not asked takes nothing, so what was taken in all is the answers', those outside of windows included.
        share = (measured.answered + sum(measured.errors.values())) / max(run.landed_in_all - landed, 1)
        cpu = {name: (last[name] - first[name]) * share for name in first}
        found.append(run.measured(cpu))
    return found


def _cpu(watch: Mapping[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in watch.items()}


def _serve() -> None:
    """Measure one order after the other, one line of JSON each."""
    gc.disable()
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if order.part is None:
                measured = [runner.run(measure(load)) for load in order.loads]
            else:
                measured = runner.run(compare(order.loads, order.part))
        print(json.dumps([asdict(each) for each in measured]), flush=True)
        gc.collect()


if __name__ == "__main__":
    _serve()
