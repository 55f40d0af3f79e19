"""What the use cases say of zipcodes, over the ports in memory."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.worlds.risk_tables import draft, put_into_service

from adapters.memory import InMemoryZipcodeRepository
from domain.clock import InvalidInstant
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.ports import Lookup
from domain.risk.releases import InService, NoRiskFactor, Release, ReleaseHistory, UnknownRelease
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode
from domain.use_cases.zipcodes import RiskService

NOON = datetime(2026, 9, 28, 12, tzinfo=UTC)
ACTIVATED = NOON + timedelta(microseconds=1)
"""Right after it was loaded."""


class Unreachable(InMemoryZipcodeRepository):
    async def current(self) -> InService:
        raise StorageUnavailable("timed out")

    async def history(self) -> ReleaseHistory:
        raise StorageUnavailable("timed out")


class TestRisk:
    TABLE = RiskTable([RiskRange(9000, 9001, RiskFactor.B), RiskRange(1320, 1320, RiskFactor.A)])
    RELEASE = Release.of(draft(TABLE), 1, NOON, "memory")

    @property
    def repository(self) -> InMemoryZipcodeRepository:
        return InMemoryZipcodeRepository(draft(self.TABLE), clock=lambda: NOON)

    @property
    def subject(self) -> RiskService:
        return RiskService(self.repository, lambda: NOON + timedelta(days=1))

    async def test_a_zipcode_in_the_table_has_a_factor(self) -> None:
        assert await self.subject.factor(Zipcode(9000)) == (RiskFactor.B, self.RELEASE.id, False)
        assert await self.subject.find(Zipcode(9000)) == Lookup(Zipcode(9000), RiskFactor.B, self.RELEASE.id)

    async def test_a_zipcode_outside_the_table_is_found_without_one_and_has_none_to_give(self) -> None:
        assert await self.subject.find(Zipcode(9993)) == Lookup(Zipcode(9993), None, self.RELEASE.id)
        with pytest.raises(NoRiskFactor, match=f"Zipcode 9993 has no risk factor in release {self.RELEASE.id}$"):
            await self.subject.factor(Zipcode(9993))

    async def test_some_factors_or_all_of_them_may_be_listed(self) -> None:
        everything = ((1320, RiskFactor.A), (9000, RiskFactor.B), (9001, RiskFactor.B))
        assert (await self.subject.select([RiskFactor.B])).items == everything[1:]
        assert (await self.subject.select([RiskFactor.C])).items == ()
        assert (await self.subject.select()).items == everything
        assert (await self.subject.select()).release == self.RELEASE.id

    async def test_a_table_that_is_put_into_service_is_what_is_asked(self) -> None:
        repository = self.repository
        subject = RiskService(repository, lambda: NOON + timedelta(days=1))
        before = subject.version()
        release = await put_into_service(repository, RiskTable([RiskRange(9000, 9000, RiskFactor.C)]), "next.csv")
        assert (await subject.active(), release.label) == (release, "next.csv")
        assert await subject.factor(Zipcode(9000)) == (RiskFactor.C, release.id, False)
        assert subject.version() is not before

    async def test_an_instant_and_an_id_name_the_table_that_is_asked(self) -> None:
        now = [NOON]
        repository = InMemoryZipcodeRepository(draft(self.TABLE), clock=lambda: now[0])
        subject = RiskService(repository, lambda: now[0])
        now[0] += timedelta(days=2)
        release = await put_into_service(repository, RiskTable([RiskRange(9000, 9000, RiskFactor.C)]))
        old, new = (RiskFactor.B, self.RELEASE.id), (RiskFactor.C, release.id)
        for at in (self.RELEASE.id, ACTIVATED, NOON + timedelta(days=1)):
            assert (await subject.factor(Zipcode(9000), at))[:2] == old
            assert (await subject.select((), at)).release == self.RELEASE.id
        for at in (release.id, (await subject.history()).events[-1].at):
            assert (await subject.factor(Zipcode(9000), at))[:2] == new
        with pytest.raises(NoRiskFactor) as caught:
            await subject.factor(Zipcode(1320))
        withdrawal = caught.value.withdrawal
        assert withdrawal is not None
        assert (withdrawal.factor, withdrawal.release, withdrawal.until_release) == (
            RiskFactor.A,
            self.RELEASE.id,
            release.id,
        )

    async def test_what_cannot_be_said_is_refused(self) -> None:
        subject = self.subject
        with pytest.raises(UnknownRelease):
            await subject.view("0002-00000000")
        with pytest.raises(InvalidInstant, match="no risk table was in service"):
            await subject.view(NOON)
        with pytest.raises(InvalidInstant, match="it lies ahead"):
            await subject.view(NOON + timedelta(days=1, microseconds=1))

    async def test_without_a_table_there_is_no_answer(self) -> None:
        subject = RiskService(InMemoryZipcodeRepository(), lambda: NOON)
        for question in (subject.find(Zipcode(9000)), subject.select(), subject.view(), subject.active()):
            with pytest.raises(NoActiveRelease):
                await question

    async def test_a_store_that_does_not_answer_is_not_an_empty_one(self) -> None:
        subject = RiskService(Unreachable(), lambda: NOON)
        for question in (
            subject.factor(Zipcode(9000)),
            subject.factor(Zipcode(9000), NOON),
            subject.select((), self.RELEASE.id),
            subject.history(),
        ):
            with pytest.raises(StorageUnavailable):
                await question
