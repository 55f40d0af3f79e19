"""What the documents of the measurements are made of: numbers, tables in Markdown, the machine, places to fill."""

import math
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.load import Measured

_PACKAGES = ("litestar", "fastapi", "uvicorn", "uvloop", "httptools", "msgspec", "psycopg", "psycopg-pool")


@dataclass(frozen=True)
class Spread:
    """A median, and the lowest and highest value."""

    middle: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread | None:
    """Of the values that are numbers; None when there is none."""
    known = [value for value in values if not math.isnan(value)]
    return Spread(median(known), min(known), max(known)) if known else None


def number(value: float) -> str:
    """Two digits that matter, or all of a whole number."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_range(values: Iterable[float] | Spread | None, show: Callable[[float], str] = number) -> str:
    """The median, and in brackets the lowest and the highest; a dash where there is nothing."""
    found = values if isinstance(values, Spread) or values is None else spread(values)
    if found is None:
        return "-"
    middle, low, high = show(found.middle), show(found.low), show(found.high)
    return middle if low == high else f"{middle} ({low} to {high})"


def middle(values: Iterable[float]) -> str:
    """The median alone."""
    found = spread(values)
    return "-" if found is None else number(found.middle)


def latency(found: Sequence[Measured]) -> str:
    """p50 and p99 in milliseconds, each the median of the repeats' own."""
    return f"{middle(one.p50 * 1e3 for one in found)} / {middle(one.p99 * 1e3 for one in found)}"


def errors(found: Sequence[Measured]) -> str:
    """Their share of all answers, and their kinds."""
    count = sum(sum(one.errors.values()) for one in found)
    kinds = ", ".join(sorted({kind for one in found for kind in one.errors}))
    return f"{count / (count + sum(one.answered for one in found)):.1%} ({kinds})" if count else "0"


def disturbance(groups: Iterable[Sequence[Measured]]) -> str:
    """How much the rates of what was measured several times differ."""
    spreads = [found for group in groups if (found := spread(one.rate for one in group)) is not None and found.low]
    widths = [(found.high - found.low) / found.middle for found in spreads]
    return f"half of them differ by less than {median(widths):.0%}, the widest by {max(widths):.0%}" if widths else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Numbers to the right, what they are of to the left."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def facts(named: Mapping[str, str]) -> str:
    """A table of names and texts."""
    return table(["", ""], named.items()).replace("--:", "---")


def machine() -> dict[str, str]:
    """What this is measured on, and how busy it is; to be asked before the measurement."""
    cpu = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in cpu if line.startswith("model name")), "unknown")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores, {model}, {platform.system()} {platform.machine()}",
        "busy before it started": f"{Path('/proc/loadavg').read_text('ascii').split()[0]} (load average of a minute)",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def write(parts: Mapping[str, str], plot: str = "", *, page: Path, output: Path) -> None:
    """Write the page to `output`, each part between the two markers of its name, and a plot beside it.

    :raises ValueError: where the page has no markers for a part
    """
    text = page.read_text("utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, found_begin, rest = text.partition(begin)
        _, found_end, after = rest.partition(end)
        if not found_begin or not found_end:
            raise ValueError(f"{page} has no place for its {name}")
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    output.parent.mkdir(parents=True, exist_ok=True)
    if plot:
        output.with_suffix(".svg").write_text(plot, "utf-8")
    output.write_text(text.replace(f"({page.stem}.svg)", f"({output.stem}.svg)"), "utf-8")
