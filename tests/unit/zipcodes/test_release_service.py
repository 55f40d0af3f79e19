from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from tests.worlds.risk_tables import draft

from adapters.memory import InMemoryZipcodeRepository
from domain.clock import InvalidInstant
from domain.errors import NoActiveRelease
from domain.risk.releases import (
    Activation,
    ActiveReleaseChanged,
    Event,
    EventKind,
    NoRiskFactor,
    NothingToRollBackTo,
    Release,
    ReleaseHistory,
    ReleaseStatus,
    Standing,
    UnknownRelease,
)
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode
from domain.use_cases.releases import ReleaseService, TooMuchChange
from domain.use_cases.zipcodes import RiskService

A, B, C = RiskFactor.A, RiskFactor.B, RiskFactor.C
START = datetime(2024, 3, 1, 12, tzinfo=UTC)

FIRST = RiskTable([RiskRange(1000, 1999, A), RiskRange(2000, 2099, B), RiskRange(9000, 9000, C)])
SECOND = RiskTable([RiskRange(1000, 1999, A), RiskRange(2000, 2079, B), RiskRange(9000, 9000, C)])
THIRD = RiskTable([RiskRange(1000, 1989, A), RiskRange(1990, 2079, B), RiskRange(9000, 9001, C)])
OTHER = RiskTable([RiskRange(5000, 5999, A), RiskRange(6000, 6000, B), RiskRange(6001, 6001, C)])


class Desk:
    """An operator's desk over a store in memory, with a clock that moves a day at every look."""

    def __init__(self) -> None:
        self.now = START
        self.repository = InMemoryZipcodeRepository(clock=self.tick)
        self.service = ReleaseService(self.repository)
        self.risks = RiskService(self.repository, lambda: self.now)

    def tick(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now

    async def put(self, table: RiskTable, *, force: bool = True) -> Release:
        loaded = await self.service.load(draft(table), "ann")
        return (await self.service.activate(loaded.release.id, "ann", force=force)).release

    async def active(self) -> str:
        return (await self.repository.current()).release.id


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestLoading:
    async def test_a_loaded_table_is_staged_and_answers_nothing(self, desk: Desk) -> None:
        loaded = await desk.service.load(draft(FIRST, "spring.csv"), "ann")
        assert not loaded.known
        assert (loaded.release.id, loaded.release.label) == (f"0001-{FIRST.digest[:8]}", "spring.csv")
        assert (loaded.release.counts, loaded.release.ranges) == ({A: 1000, B: 100, C: 1}, 3)
        assert (loaded.release.created_by, loaded.release.created_at) == ("ann", START + timedelta(days=1))
        history = await desk.service.history()
        assert history.standing(loaded.release.id) == Standing(ReleaseStatus.STAGED)
        with pytest.raises(NoActiveRelease):
            await desk.risks.active()

    async def test_the_same_table_again_is_the_same_release(self, desk: Desk) -> None:
        first = await desk.service.load(draft(FIRST, "spring.csv"), "ann")
        again = await desk.service.load(draft(RiskTable.from_factors(dict(FIRST.factors())), "copy.csv"), "bob")
        assert (again.release, again.known) == (first.release, True)
        assert len((await desk.service.history()).events) == 1

    async def test_ids_sort_by_when_they_were_made(self, desk: Desk) -> None:
        made = [(await desk.service.load(draft(table), "ann")).release.id for table in (OTHER, FIRST, THIRD, SECOND)]
        assert made == sorted(made)


class TestActivating:
    async def test_a_first_table_is_put_into_service_without_a_question(self, desk: Desk) -> None:
        loaded = await desk.service.load(draft(FIRST), "ann")
        done = await desk.service.activate(loaded.release.id, "ann")
        assert (done.release, done.before, done.already) == (loaded.release, None, False)
        assert await desk.active() == loaded.release.id

    async def test_a_small_change_is_put_into_service_and_says_what_changed(self, desk: Desk) -> None:
        await desk.put(FIRST)
        loaded = await desk.service.load(draft(SECOND), "bob")
        done = await desk.service.activate(loaded.release.id, "bob")
        assert [str(change) for change in done.comparison.changes] == ["2080-2099 B→none, 20 zipcodes"]
        last = (await desk.service.history()).events[-1]
        assert (last.kind, last.by, last.forced) == (EventKind.ACTIVATED, "bob", False)
        assert last.withdrawn == (RiskRange(2080, 2099, B),)

    async def test_one_that_looks_like_a_mistake_is_refused_with_its_changes(self, desk: Desk) -> None:
        before = await desk.put(FIRST)
        loaded = await desk.service.load(draft(OTHER), "ann")
        with pytest.raises(TooMuchChange) as caught:
            await desk.service.activate(loaded.release.id, "ann")
        assert caught.value.comparison.removed == 1101
        assert str(caught.value) == (
            f"Release {loaded.release.id} was not put into service: "
            "it changes 2,103 of 2,103 zipcodes (100 %), more than 20 %"
        )
        assert await desk.active() == before.id

    async def test_force_overrules_and_is_remembered(self, desk: Desk) -> None:
        await desk.put(FIRST)
        release = await desk.put(OTHER, force=True)
        assert await desk.active() == release.id
        assert (await desk.service.history()).events[-1].forced

    async def test_force_where_nothing_is_refused_overrules_nothing(self, desk: Desk) -> None:
        await desk.put(FIRST)
        await desk.put(SECOND, force=True)
        assert not (await desk.service.history()).events[-1].forced

    async def test_the_share_that_may_change_is_the_operators(self, desk: Desk) -> None:
        strict = ReleaseService(desk.repository, Fraction(1, 1000))
        await desk.put(FIRST)
        loaded = await strict.load(draft(SECOND), "ann")
        with pytest.raises(TooMuchChange, match=r"more than 0\.1 %"):
            await strict.activate(loaded.release.id, "ann")

    async def test_what_is_in_service_already_is_not_put_there_again(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        done = await desk.service.activate(release.id, "bob")
        assert done.already
        assert len((await desk.service.history()).activations) == 1

    async def test_a_release_that_there_is_not_is_refused(self, desk: Desk) -> None:
        with pytest.raises(UnknownRelease, match="There is no release '0009-beef'"):
            await desk.service.activate("0009-beef", "ann")

    async def test_who_compared_with_what_is_no_longer_in_service_is_told(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.service.load(draft(SECOND), "ann")
        await desk.put(THIRD)
        with pytest.raises(ActiveReleaseChanged) as caught:
            await desk.repository.activate(Activation(second.release.id, "ann"), expected=first.id)
        assert str(caught.value) == (
            f"{await desk.active()} was put into service meanwhile, in place of {first.id}: compare again"
        )
        with pytest.raises(ActiveReleaseChanged, match="in place of none"):
            await desk.repository.activate(Activation(second.release.id, "ann"), expected=None)

    async def test_a_comparison_changes_nothing(self, desk: Desk) -> None:
        assert (await desk.service.compare(FIRST))[0] is None
        release = await desk.put(FIRST)
        before, comparison = await desk.service.compare(SECOND)
        assert (before, comparison.removed) == (release, 20)
        assert len((await desk.service.history()).releases) == 1

    async def test_the_table_of_a_release_can_be_had(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        await desk.put(SECOND)
        assert await desk.service.table(release.id) == FIRST


class TestRollingBack:
    async def test_the_release_before_comes_back_however_much_that_changes(self, desk: Desk) -> None:
        first = await desk.put(FIRST)
        second = await desk.put(OTHER)
        done = await desk.service.rollback("bob")
        assert (done.release, done.before) == (first, second)
        last = (await desk.service.history()).events[-1]
        assert (last.kind, last.by, last.forced) == (EventKind.ROLLED_BACK, "bob", False)

    async def test_a_second_one_goes_further_back(self, desk: Desk) -> None:
        releases = [await desk.put(table) for table in (FIRST, SECOND, THIRD)]
        assert (await desk.service.rollback("ann")).release == releases[1]
        assert (await desk.service.rollback("ann")).release == releases[0]
        with pytest.raises(NothingToRollBackTo):
            await desk.service.rollback("ann")

    async def test_a_release_that_came_back_is_left_again(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.put(SECOND)
        await desk.put(FIRST)
        assert [(await desk.service.rollback("ann")).release for _ in range(2)] == [second, first]

    async def test_after_a_rollback_the_next_release_rolls_back_to_what_was_rolled_back_to(self, desk: Desk) -> None:
        first, _ = await desk.put(FIRST), await desk.put(SECOND)
        await desk.service.rollback("ann")
        await desk.put(THIRD)
        assert (await desk.service.rollback("ann")).release == first

    async def test_it_may_be_asked_to_leave_a_release_and_no_other(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.put(SECOND)
        assert (await desk.service.rollback("ann", leaving=second.id)).release == first
        with pytest.raises(ActiveReleaseChanged) as caught:
            await desk.service.rollback("ann", leaving=second.id)
        assert (caught.value.expected, caught.value.found) == (second.id, first.id)

    async def test_what_was_done_is_told_without_asking_again(self, desk: Desk) -> None:
        loaded = await desk.service.load(draft(FIRST), "ann")
        assert loaded.history.release(loaded.release.id) == loaded.release
        done = await desk.service.activate(loaded.release.id, "ann")
        assert done.history == await desk.service.history()

    async def test_a_log_that_starts_with_a_rollback_is_read_all_the_same(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        event = Event(1, START, EventKind.ROLLED_BACK, release.id, "ann")
        with pytest.raises(NothingToRollBackTo):
            ReleaseHistory([release], [event]).predecessor()

    async def test_without_a_release_there_is_nothing_to_roll_back_to(self, desk: Desk) -> None:
        with pytest.raises(NothingToRollBackTo, match="No release was in service before the active one"):
            await desk.service.rollback("ann")


class TestSeeding:
    async def test_a_table_is_put_into_service_where_there_is_none(self, desk: Desk) -> None:
        assert await desk.service.seed(draft(FIRST), "belref serve")
        assert (await desk.repository.current()).table == FIRST

    async def test_nothing_is_done_where_there_is_one(self, desk: Desk) -> None:
        await desk.put(FIRST)
        assert not await desk.service.seed(draft(OTHER), "belref serve")
        assert len((await desk.service.history()).releases) == 1

    async def test_a_release_that_is_staged_alone_does_not_stand_in_the_way(self, desk: Desk) -> None:
        await desk.service.load(draft(OTHER), "ann")
        assert await desk.service.seed(draft(FIRST), "belref serve")

    async def test_who_comes_second_finds_the_release_of_the_first(self, desk: Desk) -> None:
        class Slow(InMemoryZipcodeRepository):
            async def history(self) -> ReleaseHistory:
                seen = await super().history()
                await ReleaseService(desk.repository).seed(draft(FIRST), "fast")
                return seen

        slow = Slow()
        slow.__dict__ = desk.repository.__dict__  # two replicas on one store
        assert not await ReleaseService(slow).seed(draft(OTHER), "slow")
        assert (await desk.repository.current()).table == FIRST


class TestStanding:
    async def test_a_release_is_active_from_when_to_when(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.put(SECOND)
        history = await desk.service.history()
        there, gone = (event.at for event in history.activations)
        assert history.standing(first.id) == Standing(ReleaseStatus.RETIRED, there, gone)
        assert history.standing(second.id) == Standing(ReleaseStatus.ACTIVE, gone, None)

    async def test_one_that_came_back_counts_from_then(self, desk: Desk) -> None:
        first = await desk.put(FIRST)
        await desk.put(SECOND)
        await desk.service.rollback("ann")
        history = await desk.service.history()
        assert history.standing(first.id) == Standing(ReleaseStatus.ACTIVE, history.events[-1].at, None)

    async def test_a_release_goes_by_its_id_or_its_number(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        history = await desk.service.history()
        assert [history.numbered(text) for text in (release.id, "1", "0001")] == [release] * 3
        for text in ("2", "0", "x", "", "1" * 40, "\N{SUPERSCRIPT ONE}"):
            with pytest.raises(UnknownRelease):
                history.numbered(text)
        with pytest.raises(UnknownRelease):
            history.standing("0002-beef")

    async def test_instants_of_events_ascend_when_the_clock_does_not(self, desk: Desk) -> None:
        history = ReleaseHistory([], [Event(4, START, EventKind.LOADED, "x", "ann")])
        assert history.next_event(START - timedelta(hours=1)) == (5, START + timedelta(microseconds=1))
        assert history.next_event(START + timedelta(hours=1)) == (5, START + timedelta(hours=1))

    async def test_histories_are_equal_when_the_same_happened(self, desk: Desk) -> None:
        await desk.put(FIRST)
        history = await desk.service.history()
        assert history == ReleaseHistory(history.releases, history.events)
        assert hash(history) == hash(ReleaseHistory(history.releases, history.events))
        assert history != ReleaseHistory(history.releases, history.events[:1])
        assert history != "history"


class TestWhatWasTrueThen:
    async def test_an_instant_is_answered_by_the_release_that_was_in_service(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.put(SECOND)
        there, gone = (event.at for event in (await desk.service.history()).activations)
        instant = timedelta(microseconds=1)
        assert (await desk.risks.view(there)).release == first
        assert (await desk.risks.view(gone - instant)).release == first
        assert (await desk.risks.view(gone)).release == second
        assert await desk.risks.factor(Zipcode(2090), gone - instant) == (B, first.id, True)

    async def test_an_instant_before_the_first_release_cannot_be_answered(self, desk: Desk) -> None:
        await desk.put(FIRST)
        with pytest.raises(InvalidInstant, match="no risk table was in service by then"):
            await desk.risks.view(START)

    async def test_it_is_settled_once_something_later_is_known(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        at = (await desk.service.history()).events[-1].at
        assert (await desk.risks.view(at)).settled
        desk.now += timedelta(days=1)
        assert not (await desk.risks.view(at + timedelta(microseconds=1))).settled
        assert not (await desk.risks.view()).settled
        assert (await desk.risks.view(release.id)).settled

    async def test_an_instant_ahead_cannot_be_answered(self, desk: Desk) -> None:
        await desk.put(FIRST)
        with pytest.raises(InvalidInstant, match="it lies ahead"):
            await desk.risks.view(desk.now + timedelta(seconds=1))

    async def test_an_activation_by_a_clock_that_runs_ahead_can_be_asked_about(self, desk: Desk) -> None:
        await desk.put(FIRST)
        desk.now -= timedelta(hours=1)
        at = (await desk.service.history()).events[-1].at
        assert (await desk.risks.view(at)).table == FIRST

    async def test_a_release_that_is_named_answers_be_it_staged(self, desk: Desk) -> None:
        await desk.put(FIRST)
        staged = (await desk.service.load(draft(OTHER), "ann")).release
        assert await desk.risks.factor(Zipcode(5500), staged.id) == (A, staged.id, True)
        assert (await desk.risks.select([C], staged.id)).items == ((6001, C),)
        with pytest.raises(UnknownRelease):
            await desk.risks.view("0009-beef")

    async def test_the_version_changes_with_every_event_and_with_nothing_else(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        before = desk.risks.version()
        await desk.risks.find(Zipcode(9000))
        await desk.service.load(draft(FIRST), "ann")
        await desk.service.activate(release.id, "ann")
        assert desk.risks.version() is before
        await desk.service.load(draft(OTHER), "ann")
        assert desk.risks.version() is not before


class TestWithdrawals:
    async def no_factor(self, desk: Desk, zipcode: int, at: str | datetime | None = None) -> NoRiskFactor:
        with pytest.raises(NoRiskFactor) as caught:
            await desk.risks.factor(Zipcode(zipcode), at)
        return caught.value

    async def test_a_zipcode_that_never_had_a_factor_just_has_none(self, desk: Desk) -> None:
        release = await desk.put(FIRST)
        error = await self.no_factor(desk, 8000)
        assert error.withdrawal is None
        assert str(error) == f"Zipcode 8000 has no risk factor in release {release.id}"

    async def test_one_that_had_a_factor_says_until_when(self, desk: Desk) -> None:
        first, second = await desk.put(FIRST), await desk.put(SECOND)
        error = await self.no_factor(desk, 2090)
        was = error.withdrawal
        assert was is not None
        assert (was.factor, was.release, was.until_release) == (B, first.id, second.id)
        assert was.until == (await desk.service.history()).events[-1].at
        assert str(error).endswith(f"; it had B in release {first.id}, until {second.id} took its place")

    async def test_that_stays_so_in_the_releases_that_follow(self, desk: Desk) -> None:
        _, second, _ = [await desk.put(table) for table in (FIRST, SECOND, THIRD)]
        was = (await self.no_factor(desk, 2090)).withdrawal
        assert was is not None
        assert was.until_release == second.id

    async def test_the_last_time_counts(self, desk: Desk) -> None:
        first, _ = await desk.put(FIRST), await desk.put(SECOND)
        await desk.service.rollback("ann")
        third = await desk.put(OTHER)
        was = (await self.no_factor(desk, 2090)).withdrawal
        assert was is not None
        assert (was.release, was.until_release) == (first.id, third.id)

    async def test_at_an_instant_it_is_what_had_happened_by_then(self, desk: Desk) -> None:
        _, second = await desk.put(FIRST), await desk.put(SECOND)
        earlier = desk.now
        await desk.service.rollback("ann")
        await desk.put(OTHER)
        was = (await self.no_factor(desk, 2090, earlier)).withdrawal
        assert was is not None
        assert was.until_release == second.id
        assert (await self.no_factor(desk, 9001, earlier)).withdrawal is None

    async def test_before_it_happened_it_is_not_told(self, desk: Desk) -> None:
        await desk.put(RiskTable([RiskRange(1000, 1000, A)]))
        earlier = desk.now
        await desk.put(RiskTable([RiskRange(1000, 1001, A)]))
        await desk.put(RiskTable([RiskRange(1000, 1000, A)]))
        assert (await self.no_factor(desk, 1001, earlier)).withdrawal is None
        assert (await self.no_factor(desk, 1001)).withdrawal is not None

    async def test_a_release_that_is_named_has_no_before(self, desk: Desk) -> None:
        await desk.put(FIRST)
        second = await desk.put(SECOND)
        assert (await self.no_factor(desk, 2090, second.id)).withdrawal is None
