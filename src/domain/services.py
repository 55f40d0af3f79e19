"""The use cases of risk tables. They decide; values hold the rules and adapters fetch."""

from collections.abc import Collection

from domain.errors import NoRiskFactor
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.zipcodes import Release, RiskFactor, RiskTable, Zipcode


class RiskService:
    """What the risk table in service says of zipcodes."""

    def __init__(self, repository: ZipcodeRepository) -> None:
        self._repository = repository

    async def find(self, zipcode: Zipcode) -> Lookup:
        """What the table says of a zipcode, be it nothing.

        :raises TechnicalError: as the repository does
        """
        return await self._repository.find(zipcode)

    async def factor(self, zipcode: Zipcode) -> tuple[RiskFactor, str]:
        """The risk factor of a zipcode, and the release that says so.

        :raises NoRiskFactor: where the table does not cover it
        :raises TechnicalError: as the repository does
        """
        lookup = await self._repository.find(zipcode)
        if lookup.factor is None:
            raise NoRiskFactor(zipcode, lookup.release)
        return lookup.factor, lookup.release

    async def select(self, factors: Collection[RiskFactor] = ()) -> Listing:
        """All zipcodes with one of these factors, ascending; all that have any where no factor is named.

        :raises TechnicalError: as the repository does
        """
        return await self._repository.select(factors or frozenset(RiskFactor))

    async def active(self) -> Release:
        """The release that is in service.

        :raises TechnicalError: as the repository does
        """
        return await self._repository.active()

    async def activate(self, table: RiskTable, label: str) -> Release:
        """Put a table into service.

        :raises StorageUnavailable: when the store does not take it; the table before stays in service
        """
        release = Release.of(table, label)
        await self._repository.activate(release)
        return release
