"""What risk tables say of zipcodes: now, at an instant before, or in a release that is named."""

from collections.abc import Collection
from datetime import datetime

from domain.clock import Clock, InvalidInstant
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.releases import NoRiskFactor, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable, Zipcode

At = str | datetime | None
"""Which table is asked: that of a release, that in service at an instant (aware), or for None that in service now."""


class RiskView:
    """One table, and what had been withdrawn by then. Answers of one request come from one view."""

    def __init__(self, release: Release, table: RiskTable, history: ReleaseHistory, at: At = None) -> None:
        self.release, self.table = release, table
        self._history, self._at = history, at

    def factor(self, zipcode: Zipcode) -> RiskFactor:
        """The factor of a zipcode.

        :raises NoRiskFactor: where the table does not cover it; with the fact that it had one before, except in a
            release that was named: what came before it depends on when it was in service
        """
        found = self.table.factor(zipcode)
        if found is None:
            raise self.refusal(zipcode)
        return found

    def refusal(self, zipcode: Zipcode) -> NoRiskFactor:
        """What `factor` raises for a zipcode that the table does not cover."""
        at = self._at
        withdrawal = None if isinstance(at, str) else self._history.withdrawal(zipcode, at)
        return NoRiskFactor(zipcode, self.release.id, withdrawal)

    @property
    def settled(self) -> bool:
        """Whether this view says the same forever: a release does, an instant once later events are known."""
        return isinstance(self._at, str) or (self._at is not None and self._history.settles(self._at))

    def select(self, factors: Collection[RiskFactor] = ()) -> Listing:
        """All zipcodes with one of these factors, ascending; all that have any where no factor is named."""
        return Listing(self.table.select(factors or frozenset(RiskFactor)), self.release.id)


class RiskService:
    """Answers questions about zipcodes. Every method raises `TechnicalError` as the repository does."""

    def __init__(self, repository: ZipcodeRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    async def view(self, at: At = None) -> RiskView:
        """The table that is asked.

        :raises UnknownRelease: for a release that there is not
        :raises InvalidInstant: for an instant that lies ahead, and for one at which none was in service yet
        """
        if at is None:
            current = await self._repository.current()
            return RiskView(current.release, current.table, current.history)
        history = await self._repository.history()
        if isinstance(at, datetime) and at > max([self._clock(), *(event.at for event in history.events[-1:])]):
            raise InvalidInstant(at, "it lies ahead")
        release = history.release(at) if isinstance(at, str) else history.at(at)
        return RiskView(release, await self._repository.table(release.id), history, at)

    async def find(self, zipcode: Zipcode) -> Lookup:
        """What the table in service says of a zipcode, be it nothing."""
        return await self._repository.find(zipcode)

    async def factor(self, zipcode: Zipcode, at: At = None) -> tuple[RiskFactor, str]:
        """The risk factor of a zipcode, and the release that says so.

        :raises NoRiskFactor: where the table does not cover it
        :raises UnknownRelease, InvalidInstant: as `view`
        """
        if at is None:
            lookup = await self._repository.find(zipcode)
            if lookup.factor is not None:
                return lookup.factor, lookup.release
        view = await self.view(at)
        return view.factor(zipcode), view.release.id

    async def select(self, factors: Collection[RiskFactor] = (), at: At = None) -> Listing:
        """All zipcodes with one of these factors, ascending; all that have any where no factor is named.

        :raises UnknownRelease, InvalidInstant: as `view`
        """
        if at is None:
            return await self._repository.select(factors or frozenset(RiskFactor))
        return (await self.view(at)).select(factors)

    async def history(self) -> ReleaseHistory:
        """Every release, and what happened to it."""
        return await self._repository.history()

    async def active(self) -> Release:
        """The release in service.

        :raises NoActiveRelease: as long as there is none
        """
        return (await self._repository.current()).release

    def version(self) -> object | None:
        """Another object whenever an answer may be another than before; None where that is not known."""
        return self._repository.version()
