"""The use cases. They decide; values hold the rules and adapters fetch."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import BeforeFirstMonth, NoFigure, NoRiskFactor, NotYetPublished, ReversedPeriod
from domain.freshness import Freshness, PublicationCalendar
from domain.health_index import FIRST_MONTH, Change, Figure, IndexTable, Month, Publication, base_in_force
from domain.ingest import verify
from domain.ports import HealthIndexProvider, Listing, Lookup, ZipcodeRepository
from domain.zipcodes import Release, RiskFactor, RiskTable, Zipcode

_WEEKDAYS = PublicationCalendar()

Clock = Callable[[], datetime]
"""Says what time it is, as an aware datetime."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """What one reading of the source brought: figures that are new or newly complete, and figures that changed."""

    publication: Publication
    added: tuple[Figure, ...]
    changed: tuple[Change, ...]


class HealthIndexService:
    """Answers from memory, at once; `refresh` is the only use case that asks the source."""

    def __init__(
        self,
        provider: HealthIndexProvider,
        bundled: Publication,
        clock: Clock,
        calendar: PublicationCalendar = _WEEKDAYS,
    ) -> None:
        """`bundled` is what is known before the source was ever read; it must hold a figure."""
        self._provider = provider
        self._clock, self._calendar = clock, calendar
        self._table = IndexTable(bundled.figures)
        self._as_of, self._source = bundled.as_of, bundled.source

    @property
    def table(self) -> IndexTable:
        """All figures known now. It is replaced as a whole, never changed: hold on to it for one answer."""
        return self._table

    def freshness(self) -> Freshness:
        """How current the figures are now."""
        return self._calendar.freshness(self._table.latest_month, self._as_of, self._source, self._clock())

    def months_missing(self) -> int:
        """How many months were expected before today and are not known."""
        return self._calendar.months_missing(self._table.latest_month, self._clock())

    def fresh_for(self) -> timedelta:
        """How long what was read last is fresh; not positive when it is time to read again."""
        now = self._clock()
        return self._as_of + self._calendar.age_limits(self._table.latest_month, now).fresh - now

    def cache_lifetime(self, month: Month | None = None) -> timedelta:
        """How long a client may keep an answer about a month, or about what is latest."""
        return self._calendar.cache_lifetime(month, self._table.latest_month, self._clock())

    def latest(self, base_year: int | None = None) -> list[Figure]:
        """The latest published figure of every base year, latest base first, or of the one asked for.

        :raises UnknownBaseYear: when nothing is published in it
        """
        bases = self._table.base_years if base_year is None else (base_year,)
        return [self._table.latest(base) for base in bases]

    def of_month(self, month: Month, base_year: int | None = None) -> list[Figure]:
        """The figures of a month, latest base first, or in the one base year asked for.

        :raises UnknownBaseYear: when nothing is published in the base year
        :raises BeforeFirstMonth: before January 1994
        :raises NotYetPublished: after the latest month known
        :raises NoFigure: when no figure is known and none can be derived
        """
        table = self._table
        if base_year is not None:
            table.latest(base_year)
        if month < FIRST_MONTH:
            raise BeforeFirstMonth(month, FIRST_MONTH)
        if month > table.latest_month:
            raise self._not_yet_published(month)
        found = table.of_month(month) if base_year is None else [table.figure(month, base_year)]
        if not found:
            raise NoFigure(month, base_in_force(month))
        return found

    def series(self, base_year: int, first: Month | None = None, last: Month | None = None) -> list[Figure]:
        """The figures of a base year, ascending, both ends included; it ends with the latest month known.

        :raises UnknownBaseYear: when nothing is published in the base year
        :raises ReversedPeriod: when `first` comes after `last`
        :raises BeforeFirstMonth: when it would start before January 1994
        :raises NotYetPublished: when it would start after the latest month known
        :raises NoFigure: when no month of it is known in this base year
        """
        table = self._table
        table.latest(base_year)
        start, end = first or FIRST_MONTH, last or table.latest_month
        if first is not None and last is not None and first > last:
            raise ReversedPeriod(first, last)
        if start < FIRST_MONTH:
            raise BeforeFirstMonth(start, FIRST_MONTH)
        if last is not None and last < FIRST_MONTH:
            raise BeforeFirstMonth(last, FIRST_MONTH)
        if start > table.latest_month:
            raise self._not_yet_published(start)
        found = table.series(base_year, start, end)
        if not found:
            raise NoFigure(start, base_year)
        return found

    async def refresh(self) -> Refresh:
        """Read the source and take over what is new. What was known stays when this raises.

        :raises SourceUnavailable: when the source does not answer
        :raises SourceRejected: when what it says is not believed
        """
        publication = await self._provider.publication(self._table)
        verify(publication.figures, self._table, publication.source, self._clock())
        table, added, changed = self._table.merged(publication.figures)
        self._table = table
        if publication.as_of >= self._as_of:  # a cached reading may be older than what was bundled
            self._as_of, self._source = publication.as_of, publication.source
        return Refresh(publication, tuple(added), tuple(changed))

    def _not_yet_published(self, month: Month) -> NotYetPublished:
        known = self.freshness()
        return NotYetPublished(month, known.latest_month, known.next_publication)


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
