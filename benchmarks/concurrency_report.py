"""The figures of the concurrency study as tables and a plot; the words around them are in the document itself."""

import math
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.forms.applications import FORMS
from benchmarks.forms.server import POOL_SIZE, default_threads
from benchmarks.load import NAME, Measured
from benchmarks.svg import Panel, Series, draw

ZIPCODE, LIST = "zipcode", "list"
ROUTES = {ZIPCODE: "GET /zipcodes/{zipcode}", LIST: "GET /databases/zipcodes?risk_factor=A"}
ASIDE_CLIENTS = 32
DISTANCE = 0.01
"""How much longer the distant database takes for a statement, in seconds."""

Cell = tuple[str, int]  # a route and a number of clients


@dataclass(frozen=True)
class Subject:
    """A form as it is served: with which pool and threads (None: the framework's own number), and how far away."""

    form: str
    pool_size: int = POOL_SIZE
    threads: int | None = None
    distant: bool = False

    @property
    def title(self) -> str:
        return FORMS[self.form].title


Results = dict[tuple[Subject, str, int], list[Measured]]  # one for each repeat, in order

SIZES = (
    Subject("pool-async", 1),
    Subject("pool-async", 2),
    Subject("pool-async"),
    Subject("pool-async", 32),
    Subject("pool-in-threads"),
    Subject("pool-in-threads", threads=40),
    Subject("pool-in-threads", 32, threads=40),
)
DISTANT = (
    Subject("connect-in-loop", distant=True),
    Subject("pool-in-loop", 32, distant=True),
    Subject("pool-in-threads", 32, distant=True),
    Subject("pool-in-threads", 32, threads=40, distant=True),
    Subject("pool-async", distant=True),
    Subject("pool-async", 32, distant=True),
    Subject("table", distant=True),
)
_FIRST = Subject("connect-in-loop")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How a run was made."""

    seconds: float
    repeats: int
    minutes: float
    load_before: str
    postgres: str
    max_connections: str


def write(document: Path, results: Results, setting: Setting, clients: Sequence[int]) -> None:
    """Replace the figures of the document, each between its two markers, and the plot beside it."""
    parts = {
        "setting": _setting(setting, results),
        "ratios": _ratios(results, clients),
        "figures": _figures(results, clients),
        "sizes": _aside(results, SIZES),
        "distance": _aside(results, DISTANT),
    }
    text = document.read_text("utf-8") if document.exists() else "".join(map(_empty, parts))
    for name, part in parts.items():
        text = _filled(text, name, part)
    document.with_suffix(".svg").write_text(_plot(results, clients), "utf-8")
    document.write_text(text, "utf-8")


def _empty(name: str) -> str:
    return f"<!-- {name}: begin -->\n<!-- {name}: end -->\n"


def _filled(text: str, name: str, part: str) -> str:
    """The text with this part between the two markers of its name.

    :raises ValueError: where there are none
    """
    begin, end = _empty(name).splitlines()
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"the document has no place for its {name}")
    return f"{before}{begin}\n{part}\n{end}{after}"


# -- tables ------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _by_clients(clients: Sequence[int], show: Callable[[Subject, int], str]) -> str:
    rows = ([form.title, *(show(Subject(name), count) for count in clients)] for name, form in FORMS.items())
    return _table(["clients", *map(str, clients)], rows)


def _ratios(results: Results, clients: Sequence[int]) -> str:
    parts = []
    for route, title in ROUTES.items():

        def show(subject: Subject, count: int, route: str = route) -> str:
            return _spread(_relative(results[subject, route, count], results[_FIRST, route, count]), _short)

        parts.append(f"`{title}`\n\n{_by_clients(clients, show)}")
    return "\n" + "\n".join(parts)


def _relative(these: Sequence[Measured], those: Sequence[Measured]) -> list[float]:
    """Rates as multiples, each within its own repeat."""
    return [this.rate / that.rate if that.rate else math.nan for this, that in zip(these, those, strict=True)]


def _figures(results: Results, clients: Sequence[int]) -> str:
    parts = []
    for route, title in ROUTES.items():
        columns: dict[str, Callable[[list[Measured]], str]] = {
            "Requests per second (lowest to highest of the repeats)": lambda found: _spread(
                [one.rate for one in found], lambda value: f"{value:,.0f}"
            ),
            "p50 / p99 in milliseconds": _latency,
            "CPU for each request in milliseconds, server + Postgres": _cpu,
            "Errors, share of all answers": _errors,
        }
        parts.append(f"### `{title}`\n")
        for name, column in columns.items():

            def show(
                subject: Subject, count: int, column: Callable[[list[Measured]], str] = column, route: str = route
            ) -> str:
                return column(results[subject, route, count])

            parts.append(f"{name}\n\n{_by_clients(clients, show)}")
    return "\n" + "\n".join(parts)


def _aside(results: Results, subjects: Sequence[Subject]) -> str:
    base = results[subjects[0], ZIPCODE, ASIDE_CLIENTS]
    rows = []
    for subject in subjects:
        found = results[subject, ZIPCODE, ASIDE_CLIENTS]
        pooled, threaded = subject.form.startswith("pool"), subject.form.endswith("threads")
        rows.append(
            [
                subject.title,
                str(subject.pool_size) if pooled else "",
                str(subject.threads or default_threads()) if threaded else "",
                _spread(_relative(found, base), _short),
                f"{median(one.rate for one in found):,.0f}",
                _latency(found),
                _cpu(found),
                _errors(found),
            ]
        )
    head = ["form", "pool", "threads", "ratio", "requests/s", "p50 / p99 ms", "CPU ms, server + Postgres", "errors"]
    return "\n" + _table(head, rows)


def _spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    if any(map(math.isnan, values)):
        return "-"
    middle, low, high = (show(value) for value in (median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def _milliseconds(seconds: Iterable[float]) -> str:
    known = [value * 1000 for value in seconds if not math.isnan(value)]
    return _short(median(known)) if known else "-"


def _latency(found: Sequence[Measured]) -> str:
    return f"{_milliseconds(one.p50 for one in found)} / {_milliseconds(one.p99 for one in found)}"


def _cpu(found: Sequence[Measured]) -> str:
    server, postgres = (_milliseconds(one.cpu_each(name) for one in found) for name in ("server", "postgres"))
    return f"{server} + {postgres}"


def _errors(found: Sequence[Measured]) -> str:
    count = sum(sum(one.errors.values()) for one in found)
    kinds = ", ".join(sorted({kind for one in found for kind in one.errors}))
    every = count + sum(one.answered for one in found)
    return f"{count / every:.1%} ({kinds})" if count else "0"


# -- the setting and the plot ------------------------------------------------------------------------


def _setting(setting: Setting, results: Results) -> str:
    spreads = [
        (max(rates) - min(rates)) / median(rates)
        for rates in ([one.rate for one in found] for found in results.values())
        if all(rates)
    ]
    packages = ("litestar", "uvicorn", "uvloop", "httptools", "psycopg", "psycopg-pool", "msgspec")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    busiest = max(one.cpu["load"] / one.seconds for found in results.values() for one in found)
    facts: Mapping[str, str] = {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.machine()}",
        "busy before it started": f"{setting.load_before} (load average of a minute)",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": versions,
        "Postgres": f"{setting.postgres}, max_connections {setting.max_connections}, on the same machine, over TCP",
        "pool, threads": f"{POOL_SIZE} connections; {default_threads()} threads, the framework's own number here",
        "load generator": f"{NAME}; at most {busiest:.0%} of a core",
        "run": f"{setting.repeats} repeats of {setting.seconds:g} s or longer, {setting.minutes:.1f} minutes in all, "
        f"{datetime.now(UTC):%Y-%m-%d}",
        "spread of requests/s": f"half of the cells differ by less than {median(spreads):.0%} from lowest to highest "
        f"repeat, the widest by {max(spreads):.0%}",
    }
    return "\n" + _table(["", ""], ([name, fact] for name, fact in facts.items())).replace("--:", "---")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _plot(results: Results, clients: Sequence[int]) -> str:
    measures: dict[str, Callable[[Measured], float]] = {
        "requests per second": lambda one: one.rate,
        "p99 in milliseconds": lambda one: one.p99 * 1000,
    }
    panels = [
        Panel(
            title,
            "clients at the same time",
            label,
            [
                Series(
                    form.title,
                    [(count, median(map(measure, results[Subject(name), route, count]))) for count in clients],
                    dashed=not form.title.split()[0].isdigit(),
                )
                for name, form in FORMS.items()
            ],
        )
        for label, measure in measures.items()
        for route, title in ROUTES.items()
    ]
    return draw(panels, title="Requests per second and p99 of two routes in several forms, by clients")
