import math
from xml.etree import ElementTree as ET

import pytest
from benchmarks.load import quantile
from benchmarks.svg import Panel, Series, draw
from hypothesis import given
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 460, 300

positive = st.floats(min_value=1e-6, max_value=1e9)
lines = st.lists(st.tuples(positive, positive), min_size=1, max_size=6, unique_by=lambda point: point[0]).map(sorted)


def panel(*series: Series, title: str = "panel") -> Panel:
    return Panel(title, "clients", "requests per second", series)


def drawn(*panels: Panel) -> ET.Element:
    return ET.fromstring(draw(panels, title="a plot"))  # noqa: S314 - our own text


def texts(element: ET.Element) -> list[str | None]:
    return [text.text for text in element.iter(f"{SVG}text")]


def dots(element: ET.Element) -> list[tuple[float, float]]:
    return [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in element.iter(f"{SVG}circle")]


class TestPanels:
    @given(lines)
    def test_every_point_is_drawn_inside_its_panel(self, points: list[tuple[float, float]]) -> None:
        (group,) = drawn(panel(Series("one", points))).iter(f"{SVG}g")
        places = dots(group)
        assert len(places) == len(points)
        assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)

    @given(lines)
    def test_what_is_larger_is_drawn_further_right_and_higher(self, points: list[tuple[float, float]]) -> None:
        (group,) = drawn(panel(Series("one", points))).iter(f"{SVG}g")
        places = dots(group)
        assert [x for x, _ in places] == sorted(x for x, _ in places)
        by_value = sorted(zip(points, places, strict=True), key=lambda pair: pair[0][1])
        heights = [y for _, (_, y) in by_value]
        assert heights == sorted(heights, reverse=True)

    def test_equal_steps_in_proportion_are_equal_steps_on_paper(self) -> None:
        (group,) = drawn(panel(Series("one", [(1, 10), (10, 100), (100, 1000)]))).iter(f"{SVG}g")
        (x1, y1), (x2, y2), (x3, y3) = dots(group)
        assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
        assert y2 - y1 == pytest.approx(y3 - y2, abs=0.2)

    def test_the_x_axis_is_marked_where_there_are_points(self) -> None:
        found = texts(drawn(panel(Series("one", [(1, 300), (8, 400)]), Series("two", [(256, 700)]))))
        assert {"1", "8", "256"} <= set(found)
        assert "64" not in found

    def test_the_y_axis_is_marked_around_the_values(self) -> None:
        found = texts(drawn(panel(Series("one", [(3, 30), (4, 1_900)]))))
        assert {"20", "2,000"} <= set(found)
        assert not {"10", "5,000"} & set(found)

    @pytest.mark.parametrize("absent", [math.nan, 0.0, -1.0, math.inf])
    def test_a_point_that_has_no_logarithm_is_left_out(self, absent: float) -> None:
        (group,) = drawn(panel(Series("one", [(1, 10), (2, absent), (4, 20)]))).iter(f"{SVG}g")
        assert len(dots(group)) == 2

    def test_a_panel_without_points_keeps_its_title(self) -> None:
        assert "nothing yet" in texts(drawn(panel(Series("one", []), title="nothing yet")))

    def test_panels_stand_in_rows(self) -> None:
        three = [panel(Series("one", [(1, 1)]))] * 3
        places = [group.attrib["transform"] for group in drawn(*three).iter(f"{SVG}g")]
        assert places == ["translate(0 0)", f"translate({WIDTH} 0)", f"translate(0 {HEIGHT})"]


class TestLegend:
    def test_a_label_stands_there_once_however_many_panels_have_it(self) -> None:
        both = [Series("one", [(1, 1)]), Series("two", [(1, 2)])]
        found = texts(drawn(panel(*both), panel(*both)))
        assert found.count("one") == found.count("two") == 1

    def test_a_label_has_one_colour_and_no_other_label_has_it(self) -> None:
        one, two = Series("one", [(1, 1)]), Series("two", [(1, 2)])
        colours: dict[str | None, set[str]] = {}
        for dot in drawn(panel(one, two), panel(two, one)).iter(f"{SVG}circle"):
            colours.setdefault(dot.findtext(f"{SVG}title"), set()).add(dot.attrib["fill"])
        assert len(colours["one"]) == len(colours["two"]) == 1
        assert colours["one"] != colours["two"]

    def test_a_label_may_hold_anything(self) -> None:
        assert "<a & 'b'>" in texts(drawn(panel(Series("<a & 'b'>", [(1, 1)]))))

    def test_a_page_in_the_dark_has_colours_of_its_own(self) -> None:
        style = drawn(panel()).findtext(f"{SVG}style") or ""
        light, _, dark = style.partition("prefers-color-scheme: dark")
        for name in (".page", "text", ".grid", ".axis"):
            assert name in light
            assert name in dark


class TestQuantiles:
    @given(st.lists(st.integers(), min_size=1), st.floats(min_value=0.01, max_value=1))
    def test_so_large_a_share_does_not_exceed_it_and_no_smaller_value_does_that(
        self, values: list[int], share: float
    ) -> None:
        found = quantile(sorted(values), share)
        assert sum(value <= found for value in values) >= share * len(values)
        assert sum(value < found for value in values) < share * len(values)

    def test_nothing_has_no_quantile(self) -> None:
        assert math.isnan(quantile([], 0.5))
