"""What holds for the releases and the log of every store, and for several who change them at once."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from tests.contracts.release_model import ReleaseModel, Step, assert_equal, follow, steps
from tests.contracts.risk_drafts import ALL, ALL_A, ALL_B, AUTUMN, EMPTY, EVERY_NUMBER, SPRING, serve
from tests.worlds.examples import slow
from tests.worlds.risk_tables import draft

from domain.errors import NoActiveRelease
from domain.ports import ZipcodeRepository
from domain.risk.releases import (
    Activation,
    ActiveReleaseChanged,
    Draft,
    Event,
    EventKind,
    Release,
    ReleaseHistory,
    UnknownRelease,
)
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode

A, B, C = RiskFactor.A, RiskFactor.B, RiskFactor.C


class ReleaseLogContract:
    """The half of `ZipcodeRepositoryContract` that changes something."""

    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        raise NotImplementedError

    # -- Loading ---------------------------------------------------------------------------------

    async def test_a_store_without_releases_has_an_empty_history(self, repository: ZipcodeRepository) -> None:
        assert await repository.history() == ReleaseHistory()
        with pytest.raises(UnknownRelease):
            await repository.table("0001-168866b8")

    async def test_what_is_loaded_is_known_by_what_was_said_of_it(self, repository: ZipcodeRepository) -> None:
        wanted = replace(AUTUMN, source_sha256="5" * 64)
        release = await repository.add(wanted, "Anna <anna@example.org>")
        assert release == Release.of(wanted, 1, release.created_at, "Anna <anna@example.org>")
        assert release.created_at.utcoffset() is not None
        history = await repository.history()
        assert history.releases == (release,)
        assert history.events == (Event(1, release.created_at, EventKind.LOADED, release.id, release.created_by),)

    async def test_ids_sort_by_when_their_tables_were_loaded(self, repository: ZipcodeRepository) -> None:
        wanted = [AUTUMN, SPRING, ALL_A, ALL_B, EMPTY, EVERY_NUMBER]
        ids = [(await repository.add(each, "tester")).id for each in wanted]
        assert ids == sorted(ids)
        assert ids == [f"{number:04}-{each.table.digest[:8]}" for number, each in enumerate(wanted, start=1)]
        assert all(re.fullmatch(r"[0-9]{4}-[0-9a-f]{8}", identity) for identity in ids)

    async def test_the_same_table_again_is_the_release_that_it_was(self, repository: ZipcodeRepository) -> None:
        first = await repository.add(AUTUMN, "first")
        await repository.add(SPRING, "tester")
        again = Draft(RiskTable(AUTUMN.table.ranges), "another name", "f" * 64)
        assert await repository.add(again, "second") == first
        history = await repository.history()
        assert (history.release(first.id), len(history.releases), len(history.events)) == (first, 2, 2)

    async def test_ranges_that_say_the_same_are_the_same_table(self, repository: ZipcodeRepository) -> None:
        halves = RiskTable([RiskRange(1000, 5000, A), RiskRange(5001, 9999, A)])
        whole = await repository.add(ALL_A, "tester")
        assert await repository.add(draft(halves), "tester") == whole
        assert (await repository.table(whole.id)).ranges == ALL_A.table.ranges

    async def test_every_release_keeps_its_table(self, repository: ZipcodeRepository) -> None:
        wanted = [AUTUMN, SPRING, EVERY_NUMBER, EMPTY]
        releases = [await serve(repository, each) for each in wanted]
        for release, each in zip(releases, wanted, strict=True):
            assert (await repository.table(release.id)).ranges == each.table.ranges

    @pytest.mark.parametrize("identity", ["", "0002-168866b8", "1", "%s", "x'); DROP TABLE releases; --", "../x", "é"])
    async def test_a_release_that_is_unknown_has_no_table_and_is_not_activated(
        self, repository: ZipcodeRepository, identity: str
    ) -> None:
        release = await serve(repository, AUTUMN)
        before = await repository.history()
        with pytest.raises(UnknownRelease) as raised:
            await repository.table(identity)
        assert raised.value.release == identity
        with pytest.raises(UnknownRelease):
            await repository.activate(Activation(identity, "tester"), expected=release.id)
        assert await repository.history() == before
        assert (await repository.current()).release == release

    # -- Activating ------------------------------------------------------------------------------

    async def test_an_event_says_what_was_ordered(self, repository: ZipcodeRepository) -> None:
        autumn, spring = await repository.add(AUTUMN, "Anna"), await repository.add(SPRING, "Bart")
        gone = (RiskRange(1000, 1310, C), RiskRange(1321, 1332, A), RiskRange(9000, 9999, B))
        orders = [
            Activation(autumn.id, "Anna"),
            Activation(spring.id, "Bart; --é", EventKind.ACTIVATED, forced=True, withdrawn=gone),
            Activation(autumn.id, "Chloé", EventKind.ROLLED_BACK, withdrawn=(RiskRange(1311, 1311, A),)),
        ]
        found: str | None = None
        events = []
        for order in orders:
            events.append(await repository.activate(order, expected=found))
            found = order.release
        assert [Event.of(o, n, e.at) for n, (o, e) in enumerate(zip(orders, events, strict=True), start=3)] == events
        history = await repository.history()
        assert list(history.activations) == events
        assert history.releases == (autumn, spring)

    async def test_events_count_from_one_and_each_is_later_than_the_one_before(
        self, repository: ZipcodeRepository
    ) -> None:
        for each in (AUTUMN, SPRING, AUTUMN, ALL_A, SPRING):
            await serve(repository, each)
        events = (await repository.history()).events
        assert [event.number for event in events] == list(range(1, 9))
        assert all(event.at.utcoffset() is not None for event in events)
        assert all(one.at < other.at for one, other in pairwise(events))

    @pytest.mark.parametrize("expected", [None, "spring", "0009-00000000"])
    async def test_nothing_changes_when_another_release_is_active_than_was_expected(
        self, repository: ZipcodeRepository, expected: str | None
    ) -> None:
        autumn = await serve(repository, AUTUMN)
        spring = await repository.add(SPRING, "tester")
        before = await repository.history()
        expected = spring.id if expected == "spring" else expected
        with pytest.raises(ActiveReleaseChanged) as raised:
            await repository.activate(Activation(spring.id, "tester"), expected=expected)
        assert (raised.value.expected, raised.value.found) == (expected, autumn.id)
        assert await repository.history() == before
        assert (await repository.current()).release == autumn

    async def test_nothing_is_activated_when_one_was_expected_and_there_is_none(
        self, repository: ZipcodeRepository
    ) -> None:
        autumn = await repository.add(AUTUMN, "tester")
        with pytest.raises(ActiveReleaseChanged) as raised:
            await repository.activate(Activation(autumn.id, "tester"), expected=autumn.id)
        assert raised.value.found is None
        with pytest.raises(NoActiveRelease):
            await repository.current()

    async def test_what_answers_may_depend_on_is_another_object_after_an_activation(
        self, repository: ZipcodeRepository
    ) -> None:
        await serve(repository, AUTUMN)
        before = repository.version()
        await repository.find(Zipcode(9000))
        assert repository.version() is before
        await serve(repository, SPRING)
        assert before is None or repository.version() is not before

    @slow(48)
    @given(taken=steps())
    async def test_answers_as_of_any_instant_equal_a_replay_of_the_log(
        self, repository: ZipcodeRepository, model: ReleaseModel, taken: list[Step]
    ) -> None:
        known = len(model.lines)  # an example goes on where the one before stopped
        for step in taken:
            await follow(step, repository, model)
        await assert_equal(repository, model, since=known)

    @pytest.fixture
    def model(self) -> ReleaseModel:
        return ReleaseModel()

    # -- Several at once -------------------------------------------------------------------------

    async def test_of_those_who_load_at_once_each_makes_a_release_or_finds_it(
        self, repository: ZipcodeRepository
    ) -> None:
        wanted = [AUTUMN, SPRING, ALL_A, ALL_B, AUTUMN, SPRING, ALL_A, AUTUMN]
        releases = await asyncio.gather(*(repository.add(each, "tester") for each in wanted))
        assert [release.table_sha256 for release in releases] == [each.table.digest for each in wanted]
        history = await repository.history()
        assert [release.number for release in history.releases] == [1, 2, 3, 4]
        assert [event.release for event in history.events] == [release.id for release in history.releases]
        assert all(release in history.releases for release in releases)

    async def test_of_those_who_activate_at_once_one_does_and_the_others_are_told_who(
        self, repository: ZipcodeRepository
    ) -> None:
        staged = [await repository.add(each, "tester") for each in (AUTUMN, SPRING, ALL_A, ALL_B)]
        orders = (repository.activate(Activation(each.id, each.label), expected=None) for each in staged)
        outcomes = await asyncio.gather(*orders, return_exceptions=True)
        won = [outcome for outcome in outcomes if isinstance(outcome, Event)]
        told = [outcome.found for outcome in outcomes if isinstance(outcome, ActiveReleaseChanged)]
        assert told == [won[0].release] * 3
        assert (await repository.current()).history.activations == tuple(won)

    async def test_while_releases_replace_each_other_every_answer_comes_from_one(
        self, repository: ZipcodeRepository
    ) -> None:
        releases = [await serve(repository, each) for each in (ALL_B, ALL_A)]
        whole = {each.id: tuple(w.table.factors()) for each, w in zip(releases, (ALL_B, ALL_A), strict=True)}
        factor = {releases[0].id: B, releases[1].id: A}

        async def replace_them() -> None:
            for turn in range(10):
                with suppress(ActiveReleaseChanged):
                    await serve(repository, (ALL_B, ALL_A)[turn % 2])

        async def read() -> None:
            for _ in range(10):
                found, listing = await repository.find(Zipcode(4000)), await repository.select(ALL)
                assert found.factor is factor[found.release]
                assert listing.items == whole[listing.release]
                current = await repository.current()
                assert current.table.digest == current.history.active.table_sha256

        await asyncio.gather(replace_them(), replace_them(), *(read() for _ in range(5)))
        events = (await repository.history()).activations
        assert len(events) >= 10
        assert all(one.release != other.release for one, other in pairwise(events))

    async def test_a_caller_that_gives_up_leaves_the_store_usable(self, repository: ZipcodeRepository) -> None:
        autumn, spring = await serve(repository, AUTUMN), await repository.add(SPRING, "tester")
        order = Activation(spring.id, "tester")
        given_up = [
            repository.add(EVERY_NUMBER, "tester"),
            repository.activate(order, expected=autumn.id),
            repository.current(),
            repository.history(),
            repository.find(Zipcode(1000)),
        ]
        for call in given_up:
            task = asyncio.ensure_future(call)
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        history = await repository.history()
        assert history.active in (autumn, spring)
        last = await serve(repository, ALL_A)
        assert (await repository.current()).release == last
        assert [event.number for event in (await repository.history()).events][-1] >= len(history.events) + 2
