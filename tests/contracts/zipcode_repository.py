"""What holds for every store of the risk tables, whatever stands behind it."""

from itertools import combinations

import pytest
from hypothesis import given
from tests.contracts.release_log import ReleaseLogContract
from tests.contracts.risk_drafts import (
    ALL,
    ALL_A,
    ALL_B,
    AUTUMN,
    EMPTY,
    EVERY_NUMBER,
    SPRING,
    A,
    B,
    C,
    serve,
    tables,
)
from tests.worlds.examples import slow
from tests.worlds.risk_tables import draft

from domain.errors import NoActiveRelease
from domain.ports import ZipcodeRepository
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE, RiskFactor, RiskTable, Zipcode

__all__ = ["ALL", "ALL_A", "ALL_B", "AUTUMN", "EVERY_NUMBER", "SPRING", "ZipcodeRepositoryContract", "serve", "tables"]


class ZipcodeRepositoryContract(ReleaseLogContract):
    """Inherit this in the test class of an adapter and override the fixture `repository`: one without any release."""

    async def test_reading_raises_as_long_as_nothing_was_activated(self, repository: ZipcodeRepository) -> None:
        for _ in range(2):
            with pytest.raises(NoActiveRelease):
                await repository.find(Zipcode(9000))
            with pytest.raises(NoActiveRelease):
                await repository.select([A])
            with pytest.raises(NoActiveRelease):
                await repository.current()
            await repository.add(AUTUMN, "tester")  # and it stays so when one is loaded

    async def test_what_is_activated_is_in_service_whole(self, repository: ZipcodeRepository) -> None:
        release = await serve(repository, AUTUMN)
        current = await repository.current()
        assert current.release == release
        assert current.table.ranges == AUTUMN.table.ranges
        assert current.history == await repository.history()

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
        release = await serve(repository, AUTUMN)
        found = await repository.find(Zipcode(zipcode))
        assert (found.zipcode, found.factor, found.release) == (zipcode, factor, release.id)

    @pytest.mark.parametrize("factors", [c for size in range(4) for c in combinations(RiskFactor, size)])
    async def test_a_selection_has_every_zipcode_of_its_factors_ascending(
        self, repository: ZipcodeRepository, factors: tuple[RiskFactor, ...]
    ) -> None:
        release = await serve(repository, AUTUMN)
        listing = await repository.select(factors)
        assert listing.release == release.id
        assert list(listing.items) == [item for item in AUTUMN.table.factors() if item[1] in factors]

    async def test_a_factor_that_is_named_twice_counts_once(self, repository: ZipcodeRepository) -> None:
        await serve(repository, AUTUMN)
        assert await repository.select([A, A]) == await repository.select(frozenset([A]))

    async def test_ranges_that_take_turns_come_in_the_order_of_zipcodes(self, repository: ZipcodeRepository) -> None:
        await serve(repository, EVERY_NUMBER)
        listing = await repository.select([C, A])
        expected = [z for z in range(FIRST_ZIPCODE, LAST_ZIPCODE + 1) if z % 3 != 1]
        assert [zipcode for zipcode, _ in listing.items] == expected
        assert (await repository.current()).table.ranges == EVERY_NUMBER.table.ranges

    async def test_nothing_of_the_release_before_is_left(self, repository: ZipcodeRepository) -> None:
        await serve(repository, AUTUMN)
        spring = await serve(repository, SPRING)
        assert (await repository.current()).release == spring
        assert (await repository.find(Zipcode(9000))).factor is None
        assert (await repository.find(Zipcode(1315))).factor is C
        assert (await repository.select(ALL)).items == tuple(SPRING.table.factors())

    async def test_a_release_that_is_staged_does_not_answer(self, repository: ZipcodeRepository) -> None:
        autumn = await serve(repository, AUTUMN)
        await repository.add(SPRING, "tester")
        assert (await repository.find(Zipcode(9000))).release == autumn.id
        assert (await repository.select(ALL)).items == tuple(AUTUMN.table.factors())
        assert (await repository.current()).table == AUTUMN.table

    async def test_a_table_without_ranges_is_a_release_and_not_the_lack_of_one(
        self, repository: ZipcodeRepository
    ) -> None:
        empty = await serve(repository, EMPTY)
        assert (await repository.current()).release == empty
        assert (await repository.find(Zipcode(1000))).factor is None
        assert await repository.table(empty.id) == EMPTY.table
        listing = await repository.select(ALL)
        assert (listing.items, listing.release) == ((), empty.id)

    @slow(100)
    @given(table=tables())
    async def test_any_table_comes_back_as_it_was(self, repository: ZipcodeRepository, table: RiskTable) -> None:
        release = await serve(repository, draft(table))
        assert (await repository.current()).table == table == await repository.table(release.id)
        assert (await repository.select(ALL)).items == tuple(table.factors())
        for item in table.ranges[:2]:
            assert (await repository.find(Zipcode(item.last))).factor is item.factor
