"""What the domain asks of the outside. Each port has one contract suite, in tests/contracts."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from domain.health_index.figures import Figure, Month, Provenance, Publication
from domain.health_index.table import IndexTable
from domain.risk.releases import Activation, Draft, Event, InService, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable, Zipcode


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a release says of one zipcode; `factor` is None where it does not cover it."""

    zipcode: Zipcode
    factor: RiskFactor | None
    release: str


@dataclass(frozen=True, slots=True)
class Listing:
    """All zipcodes of some factors in one release, ascending; it is `settled` where the question will always get it."""

    items: tuple[tuple[Zipcode, RiskFactor], ...]
    release: str
    settled: bool = False


class ZipcodeRepository(Protocol):
    """Risk tables as releases, one of which is in service. Each method is a transaction.

    Nobody changes or removes a release or an event. Every method raises `StorageUnavailable` when the store does not
    answer.
    """

    async def find(self, zipcode: Zipcode) -> Lookup:
        """What the active release says of a zipcode; a store that can ask for one row overrides this.

        :raises NoActiveRelease: as long as none was ever put into service
        """
        current = await self.current()
        return Lookup(zipcode, current.table.factor(zipcode), current.release.id)

    async def select(self, factors: Collection[RiskFactor]) -> Listing:
        """All zipcodes of the active release with one of these factors; no factor selects nothing.

        :raises NoActiveRelease: as long as none was ever put into service
        """
        current = await self.current()
        return Listing(current.table.select(factors), current.release.id)

    @abstractmethod
    async def current(self) -> InService:
        """The active release with its whole table, and the history that goes with it.

        :raises NoActiveRelease: as long as none was ever put into service
        """

    @abstractmethod
    async def history(self) -> ReleaseHistory:
        """Every release and every event."""

    @abstractmethod
    async def table(self, release: str) -> RiskTable:
        """The table of the release with this id.

        :raises UnknownRelease: when there is none
        """

    @abstractmethod
    async def add(self, draft: Draft, by: str) -> Release:
        """Make a release of a draft, without putting it into service; `by` says who does.

        A table that was loaded before keeps its release, and nothing happens. Of several callers at the same time each
        makes a release of its own, or gets that of another caller with the same table.
        """

    @abstractmethod
    async def activate(self, activation: Activation, *, expected: str | None) -> Event:
        """Put a release into service in place of `expected`: all of it, or nothing when this raises.

        :raises UnknownRelease: when there is none with that id
        :raises ActiveReleaseChanged: when another one than `expected` is active; None stands for no release
        """

    @abstractmethod
    def version(self) -> object | None:
        """An object that is replaced whenever answers may change; None where nobody knows.

        The call reads memory alone.
        """


class HealthIndexProvider(Protocol):
    """A source of published figures."""

    @abstractmethod
    async def publication(self, known: IndexTable) -> Publication:
        """Everything that the source publishes now.

        A source may give the latest months alone: a month that it does not repeat is not deleted. `known` is what the
        caller holds already; figures of a source that names no base year are compared with it.

        :raises SourceUnavailable: when it does not answer
        :raises SourceRejected: when it answers with something that is not believed
        """

    async def forget(self) -> None:
        """Give the last publication no more from memory: whoever asked for it does not believe it."""
        return


@dataclass(frozen=True, slots=True)
class Sighting:
    """A published figure as it was first seen: when (aware) and by which source. A correction is a sighting of its own.

    Its `smoothed` is None where the source did not say it; then what an earlier sighting said of it still holds.

    :raises ValueError: for a figure that nobody published, and for an instant without a time zone
    """

    figure: Figure
    seen_at: datetime
    source: str

    def __post_init__(self) -> None:
        if self.seen_at.tzinfo is None:
            raise ValueError("seen_at must be aware")
        if {self.figure.provenance, self.figure.smoothed_provenance} != {Provenance.PUBLISHED}:
            raise ValueError("a computed figure was never published")


def news(recorded: Iterable[Sighting], given: Iterable[Sighting]) -> list[Sighting]:
    """Those of the given sightings that say something new beside the recorded ones, each in its order.

    Of its month and base year, a sighting is new when it is the first; when its value, or the smoothed value that it
    names, differs from the last one, and it was seen no earlier: what was bundled never undoes a correction; or when it
    says the same and was seen before, yet not before the figure that this one replaced. The latter is a replica that
    could not record while another did: what it answered meanwhile stays true.
    """
    known: dict[tuple[int, Month], _Known] = {}
    for each in recorded:
        key = each.figure.base_year, each.figure.month
        known[key] = _after(known.get(key), each)
    new = []
    for each in given:
        key = each.figure.base_year, each.figure.month
        before = known.get(key)
        if before is None or _is_news(before, each):
            known[key] = _after(before, each)
            new.append(each)
    return new


class _Known(NamedTuple):
    """A figure, since when it is known as it is, and since when the one before it was, if there was one."""

    value: Decimal
    smoothed: Decimal | None
    since: datetime
    replaced: datetime | None

    def says(self, figure: Figure) -> bool:
        return self.value == figure.value and figure.smoothed in {None, self.smoothed}


def _is_news(known: _Known, given: Sighting) -> bool:
    if not known.says(given.figure):
        return given.seen_at >= known.since
    return given.seen_at < known.since and (known.replaced is None or given.seen_at >= known.replaced)


def _after(known: _Known | None, given: Sighting) -> _Known:
    figure = given.figure
    if known is None:
        return _Known(figure.value, figure.smoothed, given.seen_at, None)
    if known.says(figure):
        return known._replace(since=min(known.since, given.seen_at))
    smoothed = known.smoothed if figure.smoothed is None else figure.smoothed
    return _Known(figure.value, smoothed, given.seen_at, known.since)


class FigureHistory(Protocol):
    """Every published figure that the service ever believed; none is ever removed.

    Every method raises `StorageUnavailable` when the store does not answer.
    """

    @abstractmethod
    async def sightings(self) -> Sequence[Sighting]:
        """All of them, in the order in which they were recorded."""

    @abstractmethod
    async def record(self, sightings: Sequence[Sighting]) -> Sequence[Sighting]:
        """Add those that say something new, as `news` decides, and return them; all or nothing.

        Of several callers at the same time one records it.
        """


class Turn(Protocol):
    """Decides which one of all replicas does what one of them can do for all, such as asking the source."""

    @abstractmethod
    async def take(self) -> bool:
        """Whether it is this replica's turn; it is for at most one at a time.

        A replica keeps its turn, however often it asks, until it stops or loses touch with the store. That may happen
        right after the answer: the work must do no harm when two replicas do it.

        :raises StorageUnavailable: when the store does not answer; then the turn is lost, and asked for anew next time
        """


class Cache(Protocol):
    """Bytes by key, for a limited time. A cache never makes a request fail: every failure is a miss."""

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """The bytes; None when they are absent, expired or out of reach."""

    @abstractmethod
    async def set(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Keep the bytes for at most `ttl`; one that is not positive keeps nothing and removes what was there."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget the bytes, if any."""
