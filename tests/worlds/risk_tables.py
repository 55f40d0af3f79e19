"""Risk tables and releases for tests."""

from domain.ports import ZipcodeRepository
from domain.risk.releases import Draft, Release
from domain.risk.tables import RiskTable
from domain.use_cases.releases import ReleaseService


def draft(table: RiskTable, label: str = "test.csv") -> Draft:
    """A draft of a table that came from no file."""
    return Draft(table, label, "0" * 64)


async def put_into_service(repository: ZipcodeRepository, table: RiskTable, label: str = "test.csv") -> Release:
    """Load a table and put it into service, however much it changes."""
    service = ReleaseService(repository)
    loaded = await service.load(draft(table, label), "tester")
    return (await service.activate(loaded.release.id, "tester", force=True)).release
