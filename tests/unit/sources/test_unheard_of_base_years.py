"""A window under a base year that nobody has heard of: it may be a view that mislabels its figures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.figure_windows import BUNDLED, SERIES
from tests.worlds.statbel_files import view

from adapters.statbel.provider import Failure, Listener, Retries, StatbelHealthIndexProvider, nobody
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure
from domain.health_index.table import IndexTable
from domain.health_index.verification import unheard_of

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
KNOWN = SERIES[2013][-12:]
WINDOW = [replace(item, base_year=2035, smoothed=None) for item in KNOWN]


def provider(
    first: Sequence[list[Figure]], second: Sequence[list[Figure]] = (), listener: Listener = nobody
) -> StatbelHealthIndexProvider:
    """Over open data that are away and two views, each of which gives one window after the other, or is away."""
    left = {"/1": list(first), "/2": list(second)}

    def reply(request: httpx2.Request) -> httpx2.Response:
        windows = left.get(request.url.path)
        return httpx2.Response(200, content=view(windows.pop(0))) if windows else httpx2.Response(404)

    return StatbelHealthIndexProvider(
        "https://statbel.test/cpi.zip",
        ["https://statbel.test/1", "https://statbel.test/2"],
        lambda: NOW,
        timeout=20,
        retries=Retries(attempts=1),
        listener=listener,
        transport=httpx2.MockTransport(reply),
    )


async def test_it_is_held_back_until_a_second_reading_says_the_same() -> None:
    source = provider([WINDOW, WINDOW])
    with pytest.raises(SourceRejected) as caught:
        await source.publication(BUNDLED)
    assert caught.value.rejection is Rejection.UNCONFIRMED
    assert "nobody has heard of base 2035" in caught.value.detail
    assert set((await source.publication(BUNDLED)).figures) == set(WINDOW)


async def test_a_second_reading_that_says_something_else_is_held_back_too() -> None:
    other = [replace(item, value=item.value + Decimal("0.01")) for item in WINDOW]
    source = provider([WINDOW, other, other])
    for _ in range(2):
        with pytest.raises(SourceRejected, match="held back"):
            await source.publication(BUNDLED)
    assert set((await source.publication(BUNDLED)).figures) == set(other)


async def test_another_address_may_be_the_second_reading() -> None:
    source = provider([WINDOW], [WINDOW[2:]])
    assert set((await source.publication(BUNDLED)).figures) == set(WINDOW[2:])
    assert source.answered_by == "be.STAT view 2"


async def test_a_known_figure_that_comes_with_it_confirms_it() -> None:
    source = provider([[*WINDOW, *KNOWN]])
    assert {item.base_year for item in (await source.publication(BUNDLED)).figures} == {2013, 2035}


@given(st.sampled_from(KNOWN), st.integers(1, 5))
def test_a_known_month_with_another_value_confirms_nothing(known: Figure, cents: int) -> None:
    other = replace(known, value=known.value + Decimal(cents).scaleb(-2))
    assert unheard_of([*WINDOW, other], BUNDLED) == {2035}
    assert unheard_of([*WINDOW, known], BUNDLED) == set()


@pytest.mark.parametrize("base_year", [1988, 2025])
def test_a_base_year_that_was_ever_in_force_is_not_strange_though_nothing_is_known_in_it(base_year: int) -> None:
    assert unheard_of([replace(item, base_year=base_year) for item in WINDOW], IndexTable()) == set()


async def test_a_listener_is_told_who_answered_and_why_the_others_did_not() -> None:
    told: list[tuple[str | None, Sequence[Failure]]] = []
    source = provider([KNOWN], listener=lambda answered_by, failures: told.append((answered_by, failures)))
    await source.publication(BUNDLED)
    with pytest.raises(SourceUnavailable):
        await source.publication(BUNDLED)
    (first, why), (second, all_of_them) = told
    assert (first, [failure.source for failure in why]) == ("be.STAT view 1", ["statbel open data"])
    assert (second, len(all_of_them)) == (None, 3)


async def test_who_is_told_to_forget_asks_for_all_of_it_again() -> None:
    source = provider([KNOWN, KNOWN])
    await source.publication(BUNDLED)
    await source.forget()
    assert set((await source.publication(BUNDLED)).figures) == set(KNOWN)
    assert source._readings
