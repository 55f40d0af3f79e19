"""belref beside its baselines, in one run: `python -m benchmarks.bench [--quick | --check | --render FILE]`.

Everything runs on this machine, on 127.0.0.1 alone, and stops with this process. Needs Linux. The raw results are kept
in build/, which is not part of the repository; `--render` makes the document of them again.
"""

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import bench_report
from benchmarks.bench_check import check
from benchmarks.bench_run import Bench, Plan, allow_many_connections
from benchmarks.figures import Results, load, save
from benchmarks.load import LoadGenerator
from benchmarks.processes import ROOT
from benchmarks.stage import staged

DOCUMENT, QUICK_DOCUMENT = ROOT / "docs" / "performance.md", ROOT / "build" / "performance.md"
RAW, QUICK_RAW = ROOT / "build" / "performance.json", ROOT / "build" / "performance-quick.json"
FULL = Plan(seconds=0.5, rounds=5, aside_rounds=3, starts=3)
QUICK = Plan(
    seconds=0.2,
    rounds=3,
    aside_rounds=1,
    clients_aside=(1, 64, 1000),
    processes=(1, 2),
    starts=1,
    urls=10_000,
)
_LONGEST = 25 * 60  # seconds; reached only when something is broken


def run(plan: Plan) -> Results:
    """Measure all that is planned."""
    started = time.monotonic()
    results = Results(seconds=plan.seconds, rounds=plan.rounds, clients=plan.clients, machine=bench_report.machine())
    allow_many_connections()
    with staged() as stage, LoadGenerator() as generator:
        results.seen, results.skipped = stage.seen, stage.skipped
        bench = Bench(stage, results, generator, plan)
        bench.starts()
        bench.scenarios(range(plan.rounds))
        bench.by_clients()
        bench.by_processes()
        bench.flood()
    results.minutes = (time.monotonic() - started) / 60
    return results


@contextlib.contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """End this process after so long, whatever it waits for; what it started ends with it."""

    def give_up(*_: object) -> None:
        raise SystemExit(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def main() -> int:
    arguments = _arguments()
    if arguments.render is not None:
        document = arguments.output or DOCUMENT
        bench_report.write(document, load(arguments.render))
        print(f"{document} written", file=sys.stderr)
        return 0
    with bounded(_LONGEST):
        if arguments.check:
            return check()
        plan = QUICK if arguments.quick else FULL
        if arguments.urls is not None:
            plan = replace(plan, urls=arguments.urls)
        results = run(plan)
    raw = QUICK_RAW if arguments.quick else RAW
    document = arguments.output or (QUICK_DOCUMENT if arguments.quick else DOCUMENT)
    save(results, raw)
    bench_report.write(document, results)
    print(f"{document} written after {results.minutes:.1f} minutes; its figures are in {raw}", file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure belref beside its baselines.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--quick", action="store_true", help="fewer and shorter rounds; writes build/performance.md")
    way.add_argument("--check", action="store_true", help="the hot scenarios alone; 1 when a floor is missed")
    way.add_argument("--render", type=Path, metavar="FILE", help="write the document of a run that was kept")
    parser.add_argument("--urls", type=_urls, metavar="N", help="how many distinct URLs, up to a million")
    parser.add_argument("--output", type=Path, help="the document; the plot is written beside it")
    return parser.parse_args()


def _urls(text: str) -> int:
    if not 1 <= (count := int(text)) <= 1_000_000:
        raise argparse.ArgumentTypeError("from 1 to 1000000")
    return count


if __name__ == "__main__":
    sys.exit(main())
