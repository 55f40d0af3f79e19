"""What holds for every store of the risk table, whatever stands behind it."""

import asyncio
from contextlib import suppress
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import NoActiveRelease
from domain.ports import ZipcodeRepository
from domain.zipcodes import FIRST_ZIPCODE, LAST_ZIPCODE, Release, RiskFactor, RiskRange, RiskTable, Zipcode

A, B, C = RiskFactor.A, RiskFactor.B, RiskFactor.C
ALL = frozenset(RiskFactor)

AUTUMN = Release.of(
    RiskTable(
        [
            RiskRange(1000, 1310, C),
            RiskRange(1315, 1315, B),
            RiskRange(1320, 1320, A),
            RiskRange(1321, 1332, A),  # beside the one before, and still a range of its own
            RiskRange(9000, 9999, B),
        ]
    ),
    "autumn.csv",
)
SPRING = Release.of(RiskTable([RiskRange(1311, 1314, A), RiskRange(1315, 1320, C)]), "spring; DROP TABLE releases; --é")
EVERY_NUMBER = Release.of(
    RiskTable(RiskRange(z, z, (A, B, C)[z % 3]) for z in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1)), "every number"
)
ALL_A, ALL_B = (Release.of(RiskTable([RiskRange(1000, 9999, factor)]), f"all {factor}") for factor in (A, B))


@st.composite
def tables(draw: st.DrawFn) -> RiskTable:
    """Any risk table, the empty one included."""
    bounds = st.lists(st.integers(FIRST_ZIPCODE, LAST_ZIPCODE), max_size=24, unique=True).map(sorted)
    cuts = draw(bounds.filter(lambda found: len(found) % 2 == 0))
    singles = draw(st.sets(st.sampled_from(cuts), max_size=3)) if cuts else set()
    factor = st.sampled_from(RiskFactor)
    pairs = zip(cuts[::2], cuts[1::2], strict=True)
    return RiskTable(RiskRange(a, a if a in singles else b, draw(factor)) for a, b in pairs)


class ZipcodeRepositoryContract:
    """Inherit this in the test class of an adapter and override the fixture `repository`: one without any release."""

    @pytest.fixture
    def repository(self) -> ZipcodeRepository:
        raise NotImplementedError

    async def test_reading_raises_as_long_as_nothing_was_activated(self, repository: ZipcodeRepository) -> None:
        with pytest.raises(NoActiveRelease):
            await repository.find(Zipcode(9000))
        with pytest.raises(NoActiveRelease):
            await repository.select([A])
        with pytest.raises(NoActiveRelease):
            await repository.active()

    async def test_what_is_activated_is_active_whole(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        active = await repository.active()
        assert active == AUTUMN
        assert active.table.ranges == AUTUMN.table.ranges

    @pytest.mark.parametrize(
        ("zipcode", "factor"),
        [
            (1000, C),
            (1310, C),
            (1311, None),
            (1314, None),
            (1315, B),
            (1316, None),
            (1320, A),
            (1332, A),
            (1333, None),
            (8999, None),
            (9000, B),
            (9999, B),
        ],
    )
    async def test_both_ends_of_a_range_have_its_factor_and_their_neighbours_have_not(
        self, repository: ZipcodeRepository, zipcode: int, factor: RiskFactor | None
    ) -> None:
        await repository.activate(AUTUMN)
        found = await repository.find(Zipcode(zipcode))
        assert (found.zipcode, found.factor, found.release) == (zipcode, factor, AUTUMN.id)

    @pytest.mark.parametrize("factors", [c for size in range(4) for c in combinations(RiskFactor, size)])
    async def test_a_selection_has_every_zipcode_of_its_factors_ascending(
        self, repository: ZipcodeRepository, factors: tuple[RiskFactor, ...]
    ) -> None:
        await repository.activate(AUTUMN)
        listing = await repository.select(factors)
        assert listing.release == AUTUMN.id
        assert list(listing.items) == [item for item in AUTUMN.table.factors() if item[1] in factors]

    async def test_a_factor_that_is_named_twice_counts_once(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        assert await repository.select([A, A]) == await repository.select(frozenset([A]))

    async def test_ranges_that_take_turns_come_in_the_order_of_zipcodes(self, repository: ZipcodeRepository) -> None:
        await repository.activate(EVERY_NUMBER)
        listing = await repository.select([C, A])
        expected = [z for z in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1) if z % 3 != 1]
        assert [zipcode for zipcode, _ in listing.items] == expected
        assert (await repository.active()).table.ranges == EVERY_NUMBER.table.ranges

    async def test_nothing_of_the_release_before_is_left(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        await repository.activate(SPRING)
        assert await repository.active() == SPRING
        assert (await repository.find(Zipcode(9000))).factor is None
        assert (await repository.find(Zipcode(1315))).factor is C
        assert (await repository.select(ALL)).items == tuple(SPRING.table.factors())

    async def test_activating_twice_is_activating_once(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        await repository.activate(AUTUMN)
        assert await repository.active() == AUTUMN

    async def test_an_earlier_release_may_come_back(self, repository: ZipcodeRepository) -> None:
        for release in (AUTUMN, SPRING, AUTUMN):
            await repository.activate(release)
        assert await repository.active() == AUTUMN

    async def test_a_table_without_ranges_is_a_release_and_not_the_lack_of_one(
        self, repository: ZipcodeRepository
    ) -> None:
        empty = Release.of(RiskTable(), "empty")
        await repository.activate(empty)
        assert await repository.active() == empty
        assert (await repository.find(Zipcode(1000))).factor is None
        assert (await repository.select(ALL)).items == ()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(table=tables())
    async def test_any_table_comes_back_as_it_was(self, repository: ZipcodeRepository, table: RiskTable) -> None:
        await repository.activate(Release.of(table, "any"))
        assert (await repository.active()).table == table
        assert (await repository.select(ALL)).items == tuple(table.factors())
        for item in table.ranges[:2]:
            assert (await repository.find(Zipcode(item.last))).factor is item.factor

    async def test_seeding_puts_a_release_into_service_where_there_is_none(self, repository: ZipcodeRepository) -> None:
        assert await repository.seed(AUTUMN) is True
        assert await repository.active() == AUTUMN

    async def test_seeding_changes_nothing_where_there_is_one(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        assert await repository.seed(SPRING) is False
        assert await repository.seed(AUTUMN) is False
        assert await repository.active() == AUTUMN

    async def test_of_seeders_at_the_same_time_one_seeds(self, repository: ZipcodeRepository) -> None:
        releases = [AUTUMN, SPRING, ALL_A, AUTUMN, SPRING]
        seeded = await asyncio.gather(*(repository.seed(release) for release in releases))
        assert sorted(seeded) == [False, False, False, False, True]
        assert await repository.active() == releases[seeded.index(True)]

    async def test_while_releases_replace_each_other_every_answer_comes_from_one(
        self, repository: ZipcodeRepository
    ) -> None:
        await repository.activate(ALL_A)
        whole = {release.id: tuple(release.table.factors()) for release in (ALL_A, ALL_B)}
        factor = {ALL_A.id: A, ALL_B.id: B}

        async def replace() -> None:
            for turn in range(10):
                await repository.activate((ALL_B, ALL_A)[turn % 2])

        async def read() -> None:
            for _ in range(10):
                found, listing = await repository.find(Zipcode(4000)), await repository.select(ALL)
                assert found.factor is factor[found.release]
                assert listing.items == whole[listing.release]
                active = await repository.active()
                assert active in {ALL_A, ALL_B}

        await asyncio.gather(replace(), replace(), *(read() for _ in range(5)))
        assert await repository.active() == ALL_A

    async def test_a_caller_that_gives_up_leaves_the_store_usable(self, repository: ZipcodeRepository) -> None:
        await repository.activate(AUTUMN)
        for call in (repository.activate(SPRING), repository.active(), repository.find(Zipcode(1000))):
            task = asyncio.ensure_future(call)
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await repository.activate(ALL_A)
        assert await repository.active() == ALL_A
