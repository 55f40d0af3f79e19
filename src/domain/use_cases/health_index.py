"""The use cases of the health index: what is known of it, now and at any instant before, and how it is kept current."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from domain.clock import Clock, InvalidInstant
from domain.errors import LogicalError, SourceRejected, StorageUnavailable, TechnicalError
from domain.health_index.calendar import Freshness, PublicationCalendar, Publishing, Status
from domain.health_index.claims import Claim, Finding, examine
from domain.health_index.figures import (
    FIRST_MONTH,
    BeforeFirstMonth,
    Correction,
    Figure,
    Month,
    Publication,
    base_in_force,
)
from domain.health_index.table import IndexTable, NoFigure
from domain.health_index.verification import verify
from domain.ports import FigureHistory, HealthIndexProvider, Sighting, news


@dataclass(eq=False)
class ReversedPeriod(LogicalError):
    first: "Month"
    last: "Month"

    def __str__(self) -> str:
        return f"The period starts in {self.first}, after its end in {self.last}"


@dataclass(eq=False)
class NotYetPublished(LogicalError):
    """`next_publication` is the expected date of the first month that is not known yet; it may have passed."""

    month: "Month"
    latest_month: "Month"
    next_publication: date

    def __str__(self) -> str:
        return (
            f"The health index of {self.month} is not published yet: the latest month known is {self.latest_month}, "
            f"the next one is expected on {self.next_publication.isoformat()}"
        )


HISTORY = "history"
"""The source that an answer of an earlier instant names."""

_TABLES_KEPT = 16


@dataclass(frozen=True, slots=True)
class Refresh:
    """What one reading of the source brought: figures that are new or newly complete, and figures that changed.

    `stored` is False when they could not be written to the history; that is tried again with the next reading.
    """

    publication: Publication
    added: tuple[Figure, ...]
    changed: tuple[Correction, ...]
    stored: bool = True


class IndexView:
    """The figures known at one instant, and how current they were then. Answers of one request come from one view."""

    def __init__(self, table: IndexTable, freshness: Freshness, *, settled: bool = True) -> None:
        """It is not `settled` while a figure in it waits to be kept for good, known to this replica alone."""
        self.table = table
        self.freshness = freshness
        self.settled = settled

    def latest(self, base_year: int | None = None, *, published: bool = False) -> list[Figure]:
        """The latest figure of every base year, latest base first, or of the one asked for: as far as one can be given,
        or, with `published`, Statbel's own alone, which may be years older.

        :raises UnknownBaseYear: when nothing is published in it
        """
        bases = self.table.base_years if base_year is None else (base_year,)
        latest = self.table.latest_published if published else self.table.latest
        return [latest(base) for base in bases]

    def figure(self, month: Month, base_year: int) -> Figure:
        """The figure of a month in a base year.

        :raises UnknownBaseYear: when nothing is published in the base year
        :raises BeforeFirstMonth: before January 1994
        :raises NotYetPublished: after the latest month known
        :raises NoFigure: when no figure is known and none can be derived
        """
        if month > self.table.latest_month:
            self._check_known(month)  # first: the base year may be one that was not known then either
        self.table.require(base_year)
        self._check_known(month)
        return self.table.figure(month, base_year)

    def of_month(self, month: Month, base_year: int | None = None) -> list[Figure]:
        """The figures of a month, latest base first, or in the one base year asked for.

        :raises LogicalError: as `figure`
        """
        if base_year is not None:
            return [self.figure(month, base_year)]
        self._check_known(month)
        found = self.table.of_month(month)
        if not found:
            raise NoFigure(month, base_in_force(month))
        return found

    def examine(self, claim: Claim) -> Finding:
        """What a claimed figure really is.

        :raises LogicalError: as `figure`, and `NoSmoothedFigure`
        """
        self._check_known(claim.month)
        return examine(self.table, claim)

    def series(self, base_year: int, first: Month | None = None, last: Month | None = None) -> list[Figure]:
        """The figures of a base year, ascending, both ends included; it ends with the latest month known.

        :raises UnknownBaseYear: when nothing is published in the base year
        :raises ReversedPeriod: when `first` comes after `last`
        :raises BeforeFirstMonth: when it would start before January 1994
        :raises NotYetPublished: when it would start after the latest month known
        :raises NoFigure: when no month of it is known in this base year
        """
        self.table.require(base_year)
        if first is not None and last is not None and first > last:
            raise ReversedPeriod(first, last)
        start = first or FIRST_MONTH
        self._check_known(start)
        if last is not None and last < FIRST_MONTH:
            raise BeforeFirstMonth(last, FIRST_MONTH)
        found = self.table.series(base_year, start, last or self.table.latest_month)
        if not found:
            raise NoFigure(start, base_year)
        return found

    def _check_known(self, month: Month) -> None:
        if month < FIRST_MONTH:
            raise BeforeFirstMonth(month, FIRST_MONTH)
        if month > self.table.latest_month:
            raise NotYetPublished(month, self.freshness.latest_month, self.freshness.next_publication)


class HealthIndexService:
    """Answers from memory, at once; `refresh` alone asks the source, `load`, `follow` and `refresh` the history."""

    def __init__(
        self,
        provider: HealthIndexProvider,
        bundled: Publication,
        history: FigureHistory,
        clock: Clock,
        calendar: PublicationCalendar,
        *,
        accept_older: bool = False,
    ) -> None:
        """`bundled` is what is known before the source was ever read; it must hold a figure.

        With `accept_older`, a history that lacks what is known here takes its place, as after a backup was restored.

        Bundled figures count as seen on the day on which the calendar says that they were published.
        """
        self._provider, self._history = provider, history
        self._clock, self._calendar = clock, calendar
        self._bundled = [
            Sighting(figure, calendar.published_since(figure), bundled.source) for figure in bundled.figures
        ]
        self._unrecorded: list[Sighting] = []
        self._followed: Sequence[Sighting] = ()
        self._accept_older = accept_older
        self._adopting = asyncio.Lock()
        self.history_failure: str | None = None
        """Why the history could not be read or written the last time; None when it could."""
        self.source_failure: TechnicalError | None = None
        """Why the last reading of the source failed, as whoever refreshes says; None when it did not."""
        self._read(bundled.as_of, bundled.source)
        self._adopt(self._bundled)

    # -- questions

    def now(self) -> IndexView:
        """What is known now."""
        latest = self._table.latest_month
        freshness = self._calendar.freshness(latest, self._as_of, self._source, self._clock())
        return IndexView(self._table, freshness, settled=not self._unrecorded)

    def at(self, instant: datetime) -> IndexView:
        """What was known at an instant (aware): figures count from when they were first seen.

        :raises InvalidInstant: for one that lies ahead, or before the first health index
        """
        if instant > max(self._clock(), self.last_change()):
            raise InvalidInstant(instant, "it lies ahead")
        number = bisect_right(self._moments, instant)
        if number == 0:
            raise InvalidInstant(instant, "nothing was published by then")
        table = self._tables.get(number)
        if table is None:
            while len(self._tables) >= _TABLES_KEPT:
                self._tables.pop(next(iter(self._tables)))
            moment = self._moments[number - 1]
            table = self._tables[number] = table_of(each for each in self._sightings if each.seen_at <= moment)
        freshness = self._calendar.freshness(table.latest_month, instant, HISTORY, instant)
        return IndexView(table, freshness, settled=all(each.seen_at > instant for each in self._unrecorded))

    def last_change(self) -> datetime:
        """When what is known changed last: an answer of that instant is the answer of now, and stays what it is."""
        return self._moments[-1]

    def publishings(self) -> list[Publishing]:
        """When months were and are expected, a year back and a year ahead."""
        return self._calendar.publishings(self._table.latest_month, self._clock())

    def months_missing(self) -> int:
        """How many months were expected before today and are not known."""
        return self._calendar.months_missing(self._table.latest_month, self._clock())

    def fresh_for(self) -> timedelta:
        """How long what was read last is fresh; not positive when it is time to read again."""
        now = self._clock()
        return min(self._as_of, now) + self._calendar.age_limits(self._table.latest_month, now).fresh - now

    def is_due(self) -> bool:
        """Whether a publication is expected today or was yesterday."""
        return self.now().freshness.status is Status.DUE

    def cache_lifetime(self, month: Month | None = None) -> timedelta:
        """How long a client may keep an answer about a month, or about what is latest."""
        return self._calendar.cache_lifetime(month, self._table.latest_month, self._clock())

    def version(self) -> object:
        """Another object with each change of what is known, and of when and where it was read."""
        return self._version

    def steady(self, now: datetime) -> tuple[datetime, datetime]:
        """Until when answers stay what they are, as long as `version` does: as `PublicationCalendar.steady`."""
        return self._calendar.steady(self._table.latest_month, now)

    # -- commands

    async def load(self) -> None:
        """Take over what the history holds, and put into it what is bundled and was never seen.

        :raises StorageUnavailable: when the history does not answer; what is bundled stays known
        """
        with self._noticing():
            known = {_key(each) for each in await self._history.sightings()}
            unseen = [each for each in self._bundled if _key(each) not in known]
            if unseen:
                await self._history.record(unseen)
        await self.follow()

    async def follow(self) -> None:
        """Take over what other replicas have put into the history.

        :raises StorageUnavailable: when the history does not answer; nothing changes then
        """
        # One after the other: what was read first must not replace what was taken over later.
        async with self._adopting:
            with self._noticing():
                sightings = await self._history.sightings()
            if not sightings or list(sightings) == list(self._followed):
                return
            if not self._accept_older and list(sightings[: len(self._followed)]) != list(self._followed):
                self.history_failure = (
                    "it lacks figures that are known here: they stay, unless ACCEPT_OLDER_HISTORY is set"
                )
                return
            self._followed = sightings
            known = {_key(each) for each in sightings}
            never_loaded = (each for each in self._bundled if _key(each) not in known)
            self._adopt([*never_loaded, *sightings, *news(sightings, self._unrecorded)])
            self._read_by_others(max(sightings, key=_seen_at))

    async def refresh(self, *, accept_revision: bool = False) -> Refresh:
        """Read the source, take over what is new, and keep it for good. What was known stays when this raises.

        With `accept_revision` the reading is held against nothing that is known, but for the anchors: so a source that
        has revised its whole series is believed again.

        :raises SourceUnavailable: when the source does not answer
        :raises SourceRejected: when what it says is not believed
        """
        publication = await self._provider.publication(IndexTable() if accept_revision else self._table)
        now = self._clock()
        async with self._adopting:
            known = IndexTable() if accept_revision else self._table
            try:
                verify(publication.figures, known, publication.source, now)
            except SourceRejected:
                await self._provider.forget()
                raise
            _, added, changed = self._table.merged(publication.figures)
            changed = [change for change in changed if self._seen_at(change.before) <= publication.as_of]
            told = {(figure.base_year, figure.month) for figure in (*added, *(change.after for change in changed))}
            new = [figure for figure in publication.figures if (figure.base_year, figure.month) in told]
            sightings = [Sighting(figure, now, publication.source) for figure in new]
            self._unrecorded += sightings
            read_at = min(publication.as_of, now)  # the clock of another replica may run ahead
            if read_at >= min(self._as_of, now):  # a cached reading may be older than what was bundled
                self._read(read_at, publication.source)
            if sightings:
                self._adopt([*self._sightings, *sightings])
            return Refresh(publication, tuple(added), tuple(changed), await self._record())

    async def _record(self) -> bool:
        if self._unrecorded:
            try:
                with self._noticing():
                    await self._history.record(self._unrecorded)
            except StorageUnavailable:
                return False
            self._unrecorded = []
        return True

    def _seen_at(self, figure: Figure) -> datetime:
        """When what is known of a month and base year was seen: no reading that is older undoes it."""
        key = (figure.base_year, figure.month)
        return next(each.seen_at for each in reversed(self._sightings) if _key(each) == key)

    def _read_by_others(self, newest: Sighting) -> None:
        """Whoever has seen a figure has read the source; this replica may have read it later itself."""
        if self._as_of < newest.seen_at <= self._clock():
            self._read(newest.seen_at, newest.source)

    def _read(self, as_of: datetime, source: str) -> None:
        self._as_of, self._source = as_of, source
        self._version = object()

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except StorageUnavailable as error:
            self.history_failure = error.reason
            raise
        self.history_failure = None

    def _adopt(self, sightings: Sequence[Sighting]) -> None:
        self._version = object()
        self._sightings = sightings
        self._table = table_of(sightings)
        self._moments = sorted({each.seen_at for each in sightings})
        self._tables: dict[int, IndexTable] = {}  # of earlier instants, by the number of moments until then


def table_of(sightings: Iterable[Sighting]) -> IndexTable:
    """What these sightings, in their order, amount to: the later one of a month and base year holds."""
    figures: dict[tuple[int, Month], Figure] = {}
    for each in sightings:
        before = figures.get(_key(each))
        figure = each.figure
        if before is not None and figure.smoothed is None:
            figure = replace(figure, smoothed=before.smoothed)
        figures[_key(each)] = figure
    return IndexTable(figures.values())


def _key(sighting: Sighting) -> tuple[int, Month]:
    return sighting.figure.base_year, sighting.figure.month


def _seen_at(sighting: Sighting) -> datetime:
    return sighting.seen_at
