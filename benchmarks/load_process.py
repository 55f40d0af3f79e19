"""What the load generator's process does: it reads orders as lines of JSON, and answers each with what it measured."""

import asyncio
import gc
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import IO

import msgspec
import uvloop
from benchmarks.load import Load, Measured, Order, cpu_seconds
from benchmarks.load_run import TAKING_IN, Run, at_most

_SETTLING = 0.2  # of a window of a comparison: how long is asked before it opens


async def measure(load: Load) -> Measured:
    """One load, in one window."""
    run = Run(load)
    await run.assemble()
    await asyncio.sleep(TAKING_IN)
    await run.warm_up()
    before = _cpu(load.watch)
    run.open()
    await at_most(load.seconds, run.full)
    await at_most(load.patience, run.enough)
    run.close()
    after = _cpu(load.watch)
    await run.end()
    return run.measured({name: after[name] - before[name] for name in before})


async def compare(loads: Sequence[Load], part: float) -> list[Measured]:
    """Several loads by turns, each in windows of `part` seconds."""
    runs = [Run(load) for load in loads]
    for run in runs:
        await run.assemble()
    await asyncio.sleep(TAKING_IN)
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


def _serve(loads: Iterable[str], results: IO[str]) -> None:
    """Measure one order after the other, one line of JSON each."""
    gc.disable()
    for line in loads:
        order = msgspec.json.decode(line, type=Order)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if order.part is None:
                measured = [runner.run(measure(load)) for load in order.loads]
            else:
                measured = runner.run(compare(order.loads, order.part))
        print(json.dumps([asdict(each) for each in measured]), file=results, flush=True)
        gc.collect()


if __name__ == "__main__":
    _serve(sys.stdin, sys.stdout)
