import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health_index.figures import Figure, Month
from entrypoints.http.pages.catalogue import texts_of
from entrypoints.http.pages.drawing import linear, round_marks
from entrypoints.http.pages.plots import OlderFigures, Step, index_plot, rent_plot
from entrypoints.http.pages.writing import Writer

WRITER, WORDS = Writer(texts_of("en").writing), texts_of("en").rent

JANUARY = Month(2014, 1)

values = st.integers(min_value=1, max_value=10**9).map(lambda cents: float(Decimal(cents).scaleb(-2)))
rents = st.integers(min_value=1, max_value=10**8).map(lambda cents: Decimal(cents).scaleb(-2))


def figures(*values: str, base_year: int = 2013, first: Month = JANUARY) -> list[Figure]:
    return [Figure(first.plus(number), base_year, Decimal(value)) for number, value in enumerate(values)]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


class TestMarks:
    @given(values, values)
    def test_enclose_the_values_in_equal_steps(self, one: float, other: float) -> None:
        low, high = min(one, other), max(one, other)
        marks = round_marks(low, high)
        assert marks[0] <= low
        assert marks[-1] >= high
        assert 2 <= len(marks) <= 8
        steps = [after - before for before, after in pairwise(marks)]
        assert steps == pytest.approx([steps[0]] * len(steps))

    @given(values)
    def test_one_value_has_a_place_of_its_own(self, value: float) -> None:
        assert linear(value, value, 0, 100)(value) == 50


class TestTheIndex:
    def test_is_well_formed_and_names_itself(self) -> None:
        svg = parsed(index_plot(figures("100.00", "101.00"), None, WRITER, "A < B", "A & B"))
        assert svg.attrib["role"] == "img"
        names = [svg.find(f".//*[@id='{name}']") for name in svg.attrib["aria-labelledby"].split()]
        assert [None if each is None else each.text for each in names] == ["A < B", "A & B"]

    def test_a_higher_index_stands_higher(self) -> None:
        svg = index_plot(figures("100.00", "101.00", "99.50"), None, WRITER, "", "")
        first, second, third = (float(y) for y in re.findall(r'data-y="([^"]+)"', svg))
        assert second < first < third

    def test_a_month_in_another_base_year_says_so(self) -> None:
        older = OlderFigures(figures("98.00", first=Month(2013, 12)), Decimal("0.74"))
        svg = index_plot(figures("74.00", "75.00", base_year=2025), older, WRITER, "", "")
        titles = re.findall(r"<title>([^<]+)</title>", svg)
        assert titles == ["December 2013: 98.00 (2013 = 100)", "January 2014: 74.00", "February 2014: 75.00"]

    def test_colours_are_left_to_the_stylesheet(self) -> None:
        svg = index_plot(figures("100.00", "101.00"), None, WRITER, "", "")
        assert "style=" not in svg
        assert "fill=" not in svg


class TestRents:
    @given(st.lists(rents, min_size=1, max_size=30))
    def test_every_step_lies_inside_the_plot(self, given_rents: list[Decimal]) -> None:
        steps = [Step(date(1995 + year, 9, 1), rent, rent) for year, rent in enumerate(given_rents)]
        svg = rent_plot(steps, WRITER, WORDS)
        parsed(svg)
        (path,) = re.findall(r'<path class="line" d="M([^"]+)"', svg)
        places = [tuple(map(float, place.split())) for place in path.split("L")]
        assert len(places) == 2 * len(steps)
        assert all(0 <= x <= 680 and 0 <= y <= 260 for x, y in places)

    def test_the_index_alone_is_drawn_where_the_law_differs_from_it(self) -> None:
        same = [Step(date(2020, 1, 1), Decimal(700), Decimal(700)), Step(date(2021, 1, 1), Decimal(710), Decimal(710))]
        other = [same[0], Step(date(2021, 1, 1), Decimal(705), Decimal(710))]
        assert 'class="line other"' not in rent_plot(same, WRITER, WORDS)
        assert 'class="line other"' in rent_plot(other, WRITER, WORDS)
