"""What risk tables say of zipcodes: now, at an earlier instant, or in a named release."""

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from domain.clock import Clock, InvalidInstant
from domain.ports import Listing, Lookup, ZipcodeRepository
from domain.risk.comparison import Comparison
from domain.risk.releases import NoRiskFactor, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable, Zipcode

At = str | datetime | None
"""Which table answers: that of a release (its id or number), that of an instant (aware), or None: that of now."""

PAIRS_KEPT, CHANGES_KEPT = 1_000, 20_000
"""How many pairs of releases stay compared, and how many changes all of them have together: 3 MB at most."""


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
        self._comparisons: OrderedDict[tuple[str, str], Comparison] = OrderedDict()
        self._changes_kept = 0

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

    async def compare(self, before: Release, after: Release) -> Comparison:
        """What changes from one release to another.

        Neither ever changes, so that a pair is compared once: else one client who goes through all pairs of some dozen
        large tables would keep everybody waiting for tables that are read and compared again.

        :raises UnknownRelease: for a release that the store does not have
        """
        pair = before.id, after.id
        found = self._comparisons.get(pair)
        if found is not None:
            self._comparisons.move_to_end(pair)
            return found
        tables = await self._repository.table(before.id), await self._repository.table(after.id)
        found = Comparison(*tables)
        if pair not in self._comparisons:  # somebody else may have asked the same meanwhile
            self._comparisons[pair] = found
            self._changes_kept += len(found.changes)
            while len(self._comparisons) > PAIRS_KEPT or self._changes_kept > CHANGES_KEPT:
                self._changes_kept -= len(self._comparisons.popitem(last=False)[1].changes)
        return found

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
