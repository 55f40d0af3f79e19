"""The plots of the pages, as SVG that a stylesheet colours: no attribute `style`, which the pages forbid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup, escape

from domain.health_index.figures import Figure, Month
from entrypoints.http.pages.catalogue import Rent
from entrypoints.http.pages.drawing import Scale, linear, path, round_marks, text
from entrypoints.http.pages.writing import Writer

_WIDTH, _HEIGHT = 680, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 18, 30


@dataclass(frozen=True, slots=True)
class OlderFigures:
    """Months that have no figure in the base year drawn, in another one; they meet it in `joint`, known in both."""

    figures: Sequence[Figure]
    scale: Decimal

    @property
    def base_year(self) -> int:
        return self.figures[0].base_year


def index_plot(
    series: Sequence[Figure], older: OlderFigures | None, writer: Writer, title: str, description: str
) -> Markup:
    """The health index month by month. The last point carries its figure, and each month says its own."""
    before = [] if older is None else [(each, float(each.value * older.scale)) for each in older.figures]
    points = [*before, *((each, float(each.value)) for each in series)]
    values = [value for _, value in points]
    marks = round_marks(min(values), max(values))
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    first, last = points[0][0].month, points[-1][0].month
    along = linear(_number(first), _number(last), _LEFT, right)
    up = linear(marks[0], marks[-1], bottom, _TOP)
    places = [(along(_number(each.month)), up(value)) for each, value in points]
    drawn = places[len(before) :]
    parts = _head(_HEIGHT, "plot", title, description)
    area = f"{path(places)}L{places[-1][0]:g} {bottom}L{places[0][0]:g} {bottom}Z"
    parts.append(f'<path class="area" d="{area}"/>')
    parts += _grid(marks, up, _LEFT, right)
    for year in range(first.year, last.year + 1):
        if year % 5 == 0:
            x = along(_number(Month(year, 1)))
            style = "scale" if year % 10 == 0 else "scale minor"
            parts += [
                f'<path class="tick" d="M{x:g} {bottom}v5"/>',
                text(str(year), x, bottom + 21, style, anchor="middle"),
            ]
    if before:
        parts.append(f'<path class="line older" d="{path(places[: len(before) + 1])}"/>')
    parts.append(f'<path class="line" d="{path(drawn)}"/>')
    x, y = drawn[-1]
    parts += [
        f'<circle class="end" cx="{x:g}" cy="{y:g}" r="4.5"/>',
        text(writer.number(series[-1].value), x + 6, y - 14, "last", anchor="end"),
        f'<path class="cursor" d="M0 {_TOP}V{bottom}"/><circle class="spot" r="4.5"/>',
        '<g class="months">',
    ]
    width = (right - _LEFT) / max(len(points) - 1, 1)
    for (each, _), (x, y) in zip(points, places, strict=True):
        figure = f"{writer.month(each.month)}: {writer.number(each.value)}"
        if each.base_year != series[0].base_year:
            figure += f" ({each.base_year} = 100)"
        parts.append(
            f'<rect x="{x - width / 2:.1f}" y="{_TOP}" width="{width:.1f}" height="{bottom - _TOP}" data-x="{x:g}" '
            f'data-y="{y:g}"><title>{escape(figure)}</title></rect>'
        )
    return Markup("".join([*parts, "</g></svg>"]))  # noqa: S704 - every text in it is escaped


# -- a rent -------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """The rent from a day on: what may be asked, and what might be by the index alone, in euro."""

    day: date
    rent: Decimal
    ordinary: Decimal


_LOW = 260  # the height of the plot of a rent
_BESIDE = 100  # where the last rent stands


def rent_plot(every: Sequence[Step], writer: Writer, words: Rent) -> Markup:
    """The rents of a lease in steps, one at each anniversary, from its entry into force on."""
    start = every[0]
    values = [float(value) for each in every for value in (each.rent, each.ordinary)]
    marks = round_marks(min(values), max(values), about=4)
    right, bottom = _WIDTH - _BESIDE, _LOW - _BOTTOM
    last = every[-1].day
    end = last.toordinal() + 365
    along = linear(start.day.toordinal(), end, _LEFT + 12, right)
    up = linear(marks[0], marks[-1], bottom, _TOP)
    title = words.plot_title
    description = words.plot_description.format(
        first_rent=writer.euro(start.rent),
        first=writer.date(start.day),
        last_rent=writer.euro(every[-1].rent),
        last=writer.date(last),
    )
    parts = _head(_LOW, "rent-plot", title, description)
    parts += _grid(marks, up, _LEFT + 12, right)
    for year in range(start.day.year, last.year + 2):
        x = along(date(year, 1, 1).toordinal())
        if year % 5 == 0 and _LEFT < x < right:
            parts += [
                f'<path class="tick" d="M{x:g} {bottom}v5"/>',
                text(str(year), x, bottom + 21, "scale", anchor="middle"),
            ]

    def stairs(pick: Callable[[Step], Decimal]) -> str:
        places: list[tuple[float, float]] = []
        for each, until in zip(every, [*(step.day.toordinal() for step in every[1:]), end], strict=True):
            y = up(float(pick(each)))
            places += [(along(each.day.toordinal()), y), (along(until), y)]
        return path(places)

    if any(each.rent != each.ordinary for each in every):
        parts.append(f'<path class="line other" d="{stairs(lambda each: each.ordinary)}"/>')
    parts.append(f'<path class="line" d="{stairs(lambda each: each.rent)}"/>')
    parts.append(text(writer.euro(every[-1].rent), right + 8, up(float(every[-1].rent)) + 5, "last"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def _head(height: int, name: str, title: str, description: str) -> list[str]:
    return [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-text">',
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>',
    ]


def _grid(marks: Sequence[float], up: Scale, left: float, right: float) -> list[str]:
    lines = (f'<path class="grid" d="M{left:g} {up(mark):g}H{right:g}"/>' for mark in marks)
    return [*lines, *(text(f"{mark:g}", left - 8, up(mark) + 4, "scale", anchor="end") for mark in marks)]


def _number(month: Month) -> int:
    return month.year * 12 + month.number - 1
