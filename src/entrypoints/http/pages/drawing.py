"""What every plot is drawn with: scales from values to pixels, round marks on an axis, paths and texts of SVG."""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape

Scale = Callable[[float], float]
"""From a value to a pixel, rounded to a tenth."""


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Equal steps are equal distances; the middle where there is but one value."""
    span = high - low
    return lambda value: round(start + ((value - low) / span if span else 0.5) * (end - start), 1)


def round_marks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers in steps of 1, 2 or 5 times a power of ten that enclose the values, `about` so many."""
    step = 10 ** math.floor(math.log10(max(high - low, 1) / about))
    step = next(step * factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= about)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [round(number * step, 9) for number in range(first, last + 1)]


def path(places: Iterable[Sequence[float]]) -> str:
    """The data of a path through these places."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)


def text(words: str, x: float = 0, y: float = 0, style: str = "", *, anchor: str = "start", place: str = "") -> str:
    """Words at a place, or transformed to one."""
    where = place or f'x="{x:g}" y="{y:g}"'
    return f'<text class="{style}" text-anchor="{anchor}" {where}>{escape(words)}</text>'
