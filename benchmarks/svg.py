"""Line plots as SVG, readable on a light and on a dark page, with nothing to install."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from entrypoints.http.pages.drawing import Scale, linear, path, text

_COLOURS = ("#d64545", "#d9822b", "#b59a00", "#2e9e5b", "#1a9aa8", "#3b7dd8", "#9a5bd6", "#808890")
_WIDTH, _HEIGHT = 460, 300  # of a panel, in pixels, with its labels
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 36, 48
_ACROSS, _LEGEND_LINE = 2, 22
_STYLE = """
    .page { fill: #ffffff } text { fill: #24292f; font: 12px system-ui, sans-serif } .title { font-weight: 600 }
    .grid { stroke: #d8dee4 } .axis { stroke: #57606a } .grid, .axis, .line { fill: none }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
    }
"""


@dataclass(frozen=True)
class Series:
    """Points in order of x; `dashed` for what stands in the second row."""

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot, both axes logarithmic: x and y are positive, other points are left out."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]


def draw(panels: Sequence[Panel], *, title: str) -> str:
    """An SVG document of the panels in rows of two, with one legend; a label has the same colour in every panel.

    The x axis is marked where there are points.
    """
    known = list({series.label: series for panel in panels for series in panel.series}.values())
    colours = {series.label: _COLOURS[number % len(_COLOURS)] for number, series in enumerate(known)}
    across = min(_ACROSS, len(panels))
    width = across * _WIDTH
    legend_top = math.ceil(len(panels) / across) * _HEIGHT + 16
    height = legend_top + math.ceil(len(known) / across) * _LEGEND_LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, across)
        lines += [f'<g transform="translate({column * _WIDTH} {row * _HEIGHT})">', *_panel(panel, colours), "</g>"]
    for number, series in enumerate(known):
        row, column = divmod(number, across)
        x, y = column * _WIDTH + 24, legend_top + row * _LEGEND_LINE
        lines += [*_line(series, colours[series.label], [(x, y), (x + 28, y)]), text(series.label, x + 38, y + 4)]
    return "\n".join([*lines, "</svg>\n"])


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Equal steps in proportion are equal distances."""
    along = linear(math.log(low), math.log(high), start, end)
    return lambda value: along(math.log(value))


def _panel(panel: Panel, colours: dict[str, str]) -> Iterator[str]:
    drawn = [
        (series, [(x, y) for x, y in series.points if x > 0 and y > 0 and math.isfinite(y)]) for series in panel.series
    ]
    xs = sorted({x for _, points in drawn for x, _ in points})
    ys = [y for _, points in drawn for _, y in points]
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    yield text(panel.title, _LEFT, 22, "title")
    yield text(panel.x_label, (_LEFT + right) / 2, _HEIGHT - 10, anchor="middle")
    place = f'transform="translate(16 {(_TOP + bottom) / 2}) rotate(-90)"'
    yield text(panel.y_label, anchor="middle", place=place)
    if not ys:
        return
    marks = _marks(min(ys), max(ys))
    x_scale = _logarithmic(xs[0], xs[-1], _LEFT + 8, right - 8)
    y_scale = _logarithmic(marks[0], marks[-1], bottom, _TOP)
    for mark in marks:
        yield f'<path class="grid" d="M{_LEFT} {y_scale(mark)}H{right}"/>'
        yield text(_number(mark), _LEFT - 6, y_scale(mark) + 4, anchor="end")
    for x in xs:
        yield f'<path class="axis" d="M{x_scale(x)} {bottom}v5"/>'
        yield text(_number(x), x_scale(x), bottom + 18, anchor="middle")
    yield f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>'
    for series, points in drawn:
        places = [(x_scale(x), y_scale(y)) for x, y in points]
        if places:
            yield from _line(series, colours[series.label], places)


def _line(series: Series, colour: str, places: Sequence[tuple[float, float]]) -> Iterator[str]:
    dashes = ' stroke-dasharray="5 4"' if series.dashed else ""
    yield f'<path class="line" stroke="{colour}" stroke-width="2"{dashes} d="{path(places)}"/>'
    for x, y in places:
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"><title>{escape(series.label)}</title></circle>'


def _marks(low: float, high: float) -> list[float]:
    """Round numbers (1, 2 and 5 of each decade, or 1 alone) that enclose the values, at least two of them."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    wide = math.log10(high / low) > 3
    every = [step * 10.0**decade for decade in decades for step in ((1,) if wide else (1, 2, 5))]
    first = max(number for number, mark in enumerate(every) if mark <= low)
    last = min(number for number, mark in enumerate(every) if mark >= high)
    return every[first : max(last, first + 1) + 1]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
