"""Exercise 1.1: the integers that are in both of two lists. Runs silently; a wrong answer stops it."""

from collections.abc import Iterable


def in_both(first: Iterable[int], second: Iterable[int]) -> list[int]:
    """The integers that are in both, as a new list without repeats, in the order in which `first` brings them.

    Linear time: each list is walked once, and looking into a set takes the same time whatever its size.
    """
    wanted = set(second)
    return [number for number in dict.fromkeys(first) if number in wanted]


def main() -> None:
    assert in_both([1, 5, 70, 24, 155], [17, 24, 25, 24, 68, 155]) == [24, 155]
    assert in_both([5, 109, 49, 3], [63, 1, 44, 9]) == []
    assert in_both([1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 1]) == [1]

    # Nobody asked for these, but somebody will: order, no list at all, and arguments that stay as they were.
    assert in_both([3, 2, 1], [1, 2, 3]) == [3, 2, 1]
    assert in_both([], [1]) == in_both([1], []) == []
    given = [2, 2, 1]
    assert in_both(given, given) == [2, 1]
    assert given == [2, 2, 1]


if __name__ == "__main__":
    main()
