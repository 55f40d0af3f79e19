"""Exercise 1.2: customers by age, their names sorted, in two ways. Runs silently; a wrong answer stops it."""

from itertools import groupby


class Customer:
    """Somebody with a name, an e-mail address and an age in years."""

    def __init__(self, name: str, email: str, age: int) -> None:
        self.name, self.email, self.age = name, email, age


CUSTOMERS = [
    Customer("Joe", "joe@example.org", 47),
    Customer("Sara", "sara@example.org", 23),
    Customer("Alice", "alice@example.org", 23),
    Customer("Bob", "bob@example.org", 47),
    Customer("Gary", "gary@example.org", 33),
]


def names_by_age(customers: list[Customer]) -> dict[int, list[str]]:
    """Without any import: one pass over the customers, then each group is sorted where it lies.

    Sorting small groups costs less than sorting all customers at once.
    """
    groups: dict[int, list[str]] = {}
    for customer in customers:
        groups.setdefault(customer.age, []).append(customer.name)
    for names in groups.values():
        names.sort()
    return groups


def names_by_age_with_itertools(customers: list[Customer]) -> dict[int, list[str]]:
    """With itertools: `groupby` joins neighbours only, so the customers are sorted by age first, and then by name."""
    ordered = sorted((customer.age, customer.name) for customer in customers)
    return {age: [name for _, name in group] for age, group in groupby(ordered, key=_age)}


def _age(pair: tuple[int, str]) -> int:
    return pair[0]


def main() -> None:
    expected = {23: ["Alice", "Sara"], 47: ["Bob", "Joe"], 33: ["Gary"]}
    assert names_by_age(CUSTOMERS) == expected
    assert names_by_age_with_itertools(CUSTOMERS) == expected

    # Two customers of one name and age are two customers.
    twins = [Customer("Ann", "ann@example.org", 30), Customer("Ann", "ann@example.net", 30)]
    assert names_by_age(twins) == names_by_age_with_itertools(twins) == {30: ["Ann", "Ann"]}
    assert names_by_age([]) == names_by_age_with_itertools([]) == {}


if __name__ == "__main__":
    main()
