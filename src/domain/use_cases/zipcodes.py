"""What risk tables say of zipcodes: now, at an earlier instant, or in a named release."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from domain.clock import Clock, InvalidInstant
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.releases import NoRiskFactor, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable, Zipcode

At = str | datetime | None
"""Which table answers: that of a release (its id or number), that of an instant (aware), or None: that of now."""


class Rating(NamedTuple):
    """The risk factor of a zipcode, the id of the release that gives it, and if the question will always get it."""

    factor: RiskFactor
    release: str
    settled: bool


class RiskView:
    """One table, and the withdrawals up to its time. All answers of one request come from one view."""

    def __init__(self, release: Release, table: RiskTable, history: ReleaseHistory, at: At = None) -> None:
        self.release, self.table = release, table
        self.history, self._at = history, at

    def factor(self, zipcode: Zipcode) -> RiskFactor:
        """The factor of a zipcode.

        :raises NoRiskFactor: where the table does not cover it. The error says if the zipcode had a factor before,
            except in a named release: what came before it depends on when it was in service
        """
        found = self.table.factor(zipcode)
        if found is None:
            raise self.refusal(zipcode)
        return found

    def refusal(self, zipcode: Zipcode) -> NoRiskFactor:
        """The error that `factor` raises for a zipcode that the table does not cover."""
        at = self._at
        withdrawal = None if isinstance(at, str) else self.history.withdrawal(zipcode, at)
        return NoRiskFactor(zipcode, self.release.id, withdrawal)

    @property
    def settled(self) -> bool:
        """Whether this view stays the same forever: a release does, an instant does once a later event is known."""
        return isinstance(self._at, str) or (self._at is not None and self.history.settles(self._at))

    def select(self, factors: Collection[RiskFactor] = ()) -> Listing:
        """All zipcodes with one of these factors, ascending; without factors, all that have any."""
        return Listing(self.table.select(factors or frozenset(RiskFactor)), self.release.id, self.settled)


class RiskService:
    """Answers questions about zipcodes. Every method raises `TechnicalError` as the repository does."""

    def __init__(self, repository: ZipcodeRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    async def view(self, at: At = None) -> RiskView:
        """The table that answers.

        :raises UnknownRelease: for an unknown release
        :raises InvalidInstant: for an instant that lies ahead, or before the first table was in service
        """
        if at is None:
            current = await self._repository.current()
            return RiskView(current.release, current.table, current.history)
        history = await self._repository.history()
        if isinstance(at, datetime) and at > max([self._clock(), *(event.at for event in history.events[-1:])]):
            raise InvalidInstant(at, "it lies ahead")
        release = history.numbered(at) if isinstance(at, str) else history.at(at)
        return RiskView(release, await self._repository.table(release.id), history, at)

    async def find(self, zipcode: Zipcode) -> Lookup:
        """What the table in service says of a zipcode; its factor is None where it has none."""
        return await self._repository.find(zipcode)

    async def factor(self, zipcode: Zipcode, at: At = None) -> Rating:
        """The risk factor of a zipcode.

        :raises NoRiskFactor: where the table does not cover it
        :raises UnknownRelease, InvalidInstant: as `view`
        """
        if at is None:
            lookup = await self._repository.find(zipcode)
            if lookup.factor is not None:
                return Rating(lookup.factor, lookup.release, settled=False)
        view = await self.view(at)
        return Rating(view.factor(zipcode), view.release.id, view.settled)

    async def select(self, factors: Collection[RiskFactor] = (), at: At = None) -> Listing:
        """All zipcodes with one of these factors, ascending; without factors, all that have any.

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
        """An object that is replaced whenever answers may change; None where nobody knows."""
        return self._repository.version()
