"""docs/performance.md: the words, with the figures of a run between them."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import bench_tables as tables
from benchmarks.figures import Floor, Results, floors
from benchmarks.load import NAME
from benchmarks.scenarios import DAY, scenarios

_PACKAGES = ("litestar", "fastapi", "uvicorn", "uvloop", "httptools", "msgspec", "psycopg", "psycopg-pool")

_TEXT = """\
# Performance

belref beside its baselines, in one run on one machine. What counts is the ratios: requests per second say as much about
the machine and its neighbours as about the program.

    make bench                # everything, about twelve minutes; rewrites this page and its plot
    make bench QUICK=1        # a look, in about two minutes; writes build/performance.md
    make bench-check          # the hot scenarios alone: fails when a ratio is under its floor

A run keeps its raw figures in build/, outside of the repository; `python -m benchmarks.bench --render
build/performance.json` makes this page of them again. It needs Linux and the development packages, and talks to
127.0.0.1 alone.

{summary}

## The floors

{floors}

The figure is the median over the rounds, in brackets the lowest and the highest round. What a request costs part by
part, what holds a floor that is not met, and what was tried: [profile.md](profile.md).
{skipped}
## Ratios

Requests per second as a multiple of the baseline's, each within its own round; and the same by CPU for each answer
(the baseline's divided by that of the first), which a busy neighbour hardly changes. Where a server has a core for
itself the two are the same.

{ratios}

## Rates, CPU, latencies, memory

The median over the rounds, and in brackets the lowest and the highest. CPU is that of the server's process alone, user
and system; with Postgres, what Postgres itself takes comes on top. Bytes are those of a whole answer, headers included;
memory is that of the process after the last round.

{figures}

## More clients, more processes

![By clients, by processes, and memory by distinct URLs]({plot})

Requests per second / p99 in milliseconds of one hot zipcode:

{clients}

The service is one process for each replica, and does not share a port: here each process has a port of its own, and the
clients are dealt out evenly. Server and load generator share {cores} cores, so more than one process competes with the
generator, and more than two with each other.

{processes}

## Memory

After all of the above, the same process is asked distinct URLs, each once: a quarter valid look-ups, a quarter valid
indexations, a quarter with a parameter that nobody knows (400), a quarter of paths that name nothing (404).

{memory}

## Start

From starting the process to the first answered request, in {starts} starts.

{started}

## How it is measured

{method}

{noise}

## The baselines

{baselines}

## The scenarios

{scenarios}

A hundred requests of the mixed day are:

{day}

## The machine

{machine}
"""

_METHOD = """\
Everybody is up at the same time, and idle but for the one who is asked. A round goes through the scenarios. In each of
them those who are compared take turns of a tenth of a second, all of their clients staying connected, until each had
{seconds:g} s: A B, B A, A B, … The first fifth of a turn does not count, and a turn ends with the last answer that is
due. So what slows the machine down for a while slows everybody down. (With more than 64 clients a turn is half a
second; the brief's shape, which would answer a few times in a turn, has all its time at once.) Ratios are made within a
round, and their median is what is shown, of {rounds} rounds; by clients and by processes, of {aside}.

The load generator ({generator}) is one process. Its {clients} clients, unless said otherwise,
ask again as soon as they have their answer, on connections that stay open, without pipelining. An answer counts only
when its status is the one that is right for the request; bytes are counted as well. Where a scenario says so, the
service was asked everything before, so that it could keep its answers.

All servers run on uvicorn with uvloop and httptools, one worker, without uvicorn's access log and without its `Server`
header. The service runs as it is shipped, `belref serve`: with its own access log, one line for each request, written
to a file that nobody reads, and with its metrics. It answers from the bundled figures (`HEALTH_INDEX_SOURCE=snapshot`),
so that nothing depends on a network. The baselines log nothing."""

_BASELINES = {
    "Bare ASGI, fixed bytes": "an ASGI application that sends one answer, whatever it is asked. The answer is what the "
    "service itself said when it was asked before the run: the same status, the same headers in number and size, the "
    "same body, compressed where the service compressed. Only the mixed day needs a dictionary, by path and query. It "
    "leaves out everything: it is what uvicorn itself can do at most. `benchmarks/baselines/bare.py`",
    "Litestar": "a handler that takes an integer from the path and returns a Struct of a table in process. It leaves "
    "out ETag, lifetime, conditional requests, problems, the id of the request, the log and the metrics. "
    "`benchmarks/baselines/in_process.py`",
    "FastAPI": "a handler that returns a pydantic model of a dictionary in process, its type declared: the fastest of "
    "the usual ways to write it. It leaves out the same. `benchmarks/baselines/in_process.py`",
    "The brief's shape": "an `async def` handler that opens a blocking connection to Postgres for each request, its "
    "SQL made safe: the first form of [the concurrency study](concurrency.md). It leaves out log and metrics. "
    "`benchmarks/forms/applications.py`",
    "Bare ASGI on the same pool and query": "an ASGI application that borrows a connection of the same kind of pool, "
    "with the settings of the service, asks what the service asks by the service's own repository, and sends the "
    "answer with the headers of the service. It leaves out routing, checks, errors, ids, log and metrics. "
    "`benchmarks/baselines/pooled.py`",
}


def write(document: Path, results: Results) -> None:
    """The document, and the plot beside it."""
    document.parent.mkdir(parents=True, exist_ok=True)
    plot = document.with_suffix(".svg")
    plot.write_text(tables.plot(results), "utf-8")
    document.write_text(render(results, plot.name), "utf-8")


def render(results: Results, plot: str = "performance.svg") -> str:
    """The document, in Markdown."""
    aside = len({one.round for one in results.samples if one.part != "scenarios"})
    parts = {
        "summary": summary(floors(results)),
        "floors": tables.floor_table(results),
        "skipped": _skipped(results),
        "ratios": tables.ratio_table(results),
        "figures": tables.figure_table(results),
        "plot": plot,
        "clients": tables.client_table(results),
        "cores": results.machine.get("cores", "the"),
        "processes": tables.process_table(results),
        "memory": tables.memory_table(results),
        "starts": str(max(map(len, results.started.values()), default=0)),
        "started": tables.start_table(results),
        "method": _METHOD.format(
            rounds=results.rounds, seconds=results.seconds, aside=aside, generator=NAME, clients=results.clients
        ),
        "noise": _facts(tables.noise(results)),
        "baselines": "\n\n".join(f"**{name}**: {text}." for name, text in _BASELINES.items()),
        "scenarios": _scenarios(results),
        "day": tables.table(["", "of 100"], ([kind, str(weight)] for kind, weight in DAY.items())),
        "machine": _facts({**results.machine, "the whole run": f"{results.minutes:.1f} minutes"}),
    }
    return _TEXT.format(**parts)


def summary(every: list[Floor]) -> str:
    """In one sentence."""
    met = sum(floor.met is True for floor in every)
    missed = [floor.name for floor in every if floor.met is False]
    unknown = sum(floor.met is None for floor in every)
    parts = [f"{met} of {len(every)} floors are met"]
    if missed:
        parts.append(f"{len(missed)} not: {'; '.join(missed)}")
    if unknown:
        parts.append(f"{unknown} not measured")
    return f"**{'. '.join(parts)}.**"


def _skipped(results: Results) -> str:
    titles = {each.name: each.title for each in scenarios(etag="")}
    lines = [f"- left out: {titles[name]}: {reason}" for name, reason in results.skipped.items()]
    return "".join(f"\n{line}" for line in lines) + "\n" if lines else ""


def _scenarios(results: Results) -> str:
    rows = []
    for scenario in scenarios(etag=""):
        seen, request = results.seen.get(scenario.name), scenario.requests(0)[0]
        if seen is not None:
            rows.append(
                [
                    f"{scenario.title}{' (asked before)' if scenario.warm else ''}",
                    f"`{request.method} {request.path}`",
                    str(seen.status),
                    seen.encoding or "",
                    f"{seen.size:,}",
                ]
            )
    return tables.table(["", "the first request", "status", "encoding", "bytes of the body"], rows)


def _facts(facts: Mapping[str, str]) -> str:
    return tables.table(["", ""], ([name, fact] for name, fact in facts.items())).replace("--:", "---")


def machine() -> dict[str, str]:
    """What this is measured on."""
    cpu = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in cpu if line.startswith("model name")), "unknown")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "CPU": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "busy before it started": f"{Path('/proc/loadavg').read_text('ascii').split()[0]} (load average of a minute)",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }
