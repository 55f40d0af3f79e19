"""The two exercises of the brief, against a definition too naive to be wrong."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from exercises.exercise_1_1 import in_both
from exercises.exercise_1_2 import CUSTOMERS, Customer, names_by_age, names_by_age_with_itertools
from hypothesis import given
from hypothesis import strategies as st

SCRIPTS = sorted((Path(__file__).parents[2] / "exercises").glob("exercise_*.py"))

numbers = st.lists(st.integers(min_value=-5, max_value=5) | st.integers())
customers = st.lists(
    st.builds(Customer, st.sampled_from(["Ann", "Bob", "Åke", "bob", ""]), st.text(max_size=3), st.integers(0, 3))
)
both_ways = pytest.mark.parametrize("group", [names_by_age, names_by_age_with_itertools])


def test_both_scripts_are_found() -> None:
    assert [script.name for script in SCRIPTS] == ["exercise_1_1.py", "exercise_1_2.py"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_runs_and_says_nothing(script: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(script), run_name="__main__")
    assert capfd.readouterr() == ("", "")


class TestIntegersInBothLists:
    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ([1, 5, 70, 24, 155], [17, 24, 25, 24, 68, 155], [24, 155]),
            ([5, 109, 49, 3], [63, 1, 44, 9], []),
            ([1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 1], [1]),
            ([], [], []),
        ],
    )
    def test_the_examples_come_out(self, first: list[int], second: list[int], expected: list[int]) -> None:
        assert in_both(first, second) == expected

    @given(numbers, numbers)
    def test_it_agrees_with_the_naive_definition(self, first: list[int], second: list[int]) -> None:
        expected: list[int] = []
        for number in first:
            if number in second and number not in expected:
                expected.append(number)
        assert in_both(first, second) == expected

    @given(numbers, numbers)
    def test_the_lists_given_are_left_alone(self, first: list[int], second: list[int]) -> None:
        before = (first.copy(), second.copy())
        result = in_both(first, second)
        result.append(0)
        assert (first, second) == before

    @pytest.mark.parametrize("size", [100, 1000])
    def test_comparisons_grow_with_the_lists_and_not_with_their_product(self, size: int) -> None:
        comparisons = 0

        class Counted(int):
            __slots__ = ()
            __hash__ = int.__hash__

            def __eq__(self, other: object) -> bool:
                nonlocal comparisons
                comparisons += 1
                return int(self) == other

        first = [Counted(number) for number in range(size)]
        second = [Counted(number) for number in reversed(range(size))]
        assert in_both(first, second) == list(range(size))
        assert comparisons <= 4 * size


class TestNamesByAge:
    @both_ways
    def test_the_example_comes_out(self, group: Callable[[list[Customer]], dict[int, list[str]]]) -> None:
        assert group(CUSTOMERS) == {23: ["Alice", "Sara"], 47: ["Bob", "Joe"], 33: ["Gary"]}

    @both_ways
    @given(given_customers=customers)
    def test_it_agrees_with_the_naive_definition(
        self, group: Callable[[list[Customer]], dict[int, list[str]]], given_customers: list[Customer]
    ) -> None:
        ages = {customer.age for customer in given_customers}
        assert group(given_customers) == {
            wanted: sorted(customer.name for customer in given_customers if customer.age == wanted) for wanted in ages
        }

    @both_ways
    def test_whatever_has_a_name_and_an_age_will_do(
        self, group: Callable[[list[Customer]], dict[int, list[str]]]
    ) -> None:
        class Regular(Customer):
            __slots__ = ()

        assert group([Regular("Zoë", "zoe@example.org", 8), Customer("Åke", "", 8)]) == {8: ["Zoë", "Åke"]}

    @both_ways
    def test_the_customers_are_walked_once(self, group: Callable[[list[Customer]], dict[int, list[str]]]) -> None:
        walks = 0

        class Walked(list[Customer]):
            def __iter__(self) -> Iterator[Customer]:
                nonlocal walks
                walks += 1
                return super().__iter__()

        group(Walked(CUSTOMERS))
        assert walks == 1

    @both_ways
    def test_the_order_of_the_customers_does_not_matter(
        self, group: Callable[[list[Customer]], dict[int, list[str]]]
    ) -> None:
        assert group(CUSTOMERS[::-1]) == group(CUSTOMERS)
