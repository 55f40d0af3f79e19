"""An event that Postgres dates more than a day ahead is refused: what comes after it would be dated later still."""

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from tests.contracts.zipcode_repository import AUTUMN, SPRING, serve
from tests.integration.postgres_databases import Database

from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from domain.errors import StorageUnavailable
from domain.use_cases.releases import ReleaseService


@pytest.mark.parametrize(("ahead", "refused"), [("23 hours", False), ("25 hours", True), ("70 years", True)])
async def test_an_event_of_more_than_a_day_ahead_is_refused(
    database: Database,
    pool: AsyncConnectionPool,
    ahead: str,
    refused: bool,  # noqa: FBT001 - what is expected
) -> None:
    repository = PsycopgZipcodeRepository(pool)
    release = await serve(repository, AUTUMN)
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "INSERT INTO release_events SELECT 3, now() + %s::interval, 'activated', number, 'clock', false, '[]' "
            "FROM releases WHERE id = %s",
            [ahead, release.id],
        )
    service = ReleaseService(repository)
    if refused:
        for call in (repository.current(), repository.history(), service.load(SPRING, "t"), service.rollback("t")):
            with pytest.raises(StorageUnavailable, match=r"event 3 is dated .* more than a day ahead of its clock"):
                await call
    else:
        assert (await service.load(SPRING, "tester")).release.number == 2
