"""Releases of risk tables: what was loaded, and which was in service when."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise, zip_longest

from domain.clock import InvalidInstant
from domain.errors import LogicalError, NoActiveRelease
from domain.risk.tables import RiskFactor, RiskRange, RiskTable, Zipcode

MOST_AHEAD = timedelta(days=1)
"""How far ahead of the clock an event may lie: clocks differ by less. What lies further was written by a clock that was
wrong, or by hand; every event after it would have to be dated later still, and "what was true then" would be lost."""


@dataclass(eq=False)
class NoRiskFactor(LogicalError):
    """`withdrawal` says since when the zipcode has none, where it had one before."""

    zipcode: int
    release: str
    withdrawal: "Withdrawal | None" = None

    def __str__(self) -> str:
        said = f"Zipcode {self.zipcode} has no risk factor in release {self.release}"
        if self.withdrawal is None:
            return said
        was = self.withdrawal
        return f"{said}; it had {was.factor} in release {was.release}, until {was.until_release} took its place"


@dataclass(eq=False)
class UnknownRelease(LogicalError):
    release: str

    def __str__(self) -> str:
        return f"There is no release '{self.release}'"


@dataclass(eq=False)
class NothingToRollBackTo(LogicalError):
    def __str__(self) -> str:
        return "No release was in service before the active one"


@dataclass(eq=False)
class ActiveReleaseChanged(LogicalError):
    """`found` is active in place of `expected`, which the caller compared with; None stands for no release."""

    expected: str | None
    found: str | None

    def __str__(self) -> str:
        return (
            f"{self.found or 'No release'} was put into service meanwhile, in place of {self.expected or 'none'}: "
            "compare again"
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A table that is read and not loaded yet.

    `label` is for people, such as the name of the file; `source_sha256` is the digest of the file, in hexadecimal.
    """

    table: RiskTable
    label: str
    source_sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """A table that was loaded, described without its ranges. A release never changes.

    Ids sort by age; a table keeps its id, however often somebody loads it. `source_sha256` is empty for releases of
    before it was recorded.
    """

    id: str
    number: int
    label: str
    source_sha256: str
    table_sha256: str
    counts: Mapping[RiskFactor, int]
    ranges: int
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, draft: Draft, number: int, at: datetime, by: str) -> "Release":
        """Make the release of a draft; numbers count from 1."""
        table = draft.table
        return cls(
            id=f"{number:04}-{table.digest[:8]}",
            number=number,
            label=draft.label,
            source_sha256=draft.source_sha256,
            table_sha256=table.digest,
            counts=table.counts(),
            ranges=len(table.ranges),
            created_at=at,
            created_by=by,
        )


class EventKind(StrEnum):
    """What happened to a release; a rollback is an activation of the release before."""

    LOADED = "loaded"
    ACTIVATED = "activated"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Activation:
    """The order to put a release into service: which one, by whom, and which zipcodes lose their factor.

    `withdrawn` are the ranges that lose the factor that they had in the release before. `forced` says that the operator
    overruled a refusal.
    """

    release: str
    by: str
    kind: EventKind = EventKind.ACTIVATED
    forced: bool = False
    withdrawn: tuple[RiskRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log, which is only ever added to. Numbers count from 1; a later event has a later instant."""

    number: int
    at: datetime
    kind: EventKind
    release: str
    by: str
    forced: bool = False
    withdrawn: tuple[RiskRange, ...] = ()

    @classmethod
    def of(cls, activation: Activation, number: int, at: datetime) -> "Event":
        """The event that records an activation."""
        return cls(
            number,
            at,
            activation.kind,
            activation.release,
            activation.by,
            forced=activation.forced,
            withdrawn=activation.withdrawn,
        )


class ReleaseStatus(StrEnum):
    """`staged`: never in service. `active`: in service. `retired`: was in service."""

    STAGED = "staged"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a release stands, and when it was last put into service and taken out of it."""

    status: ReleaseStatus
    activated_at: datetime | None = None
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The factor that a zipcode had: the last release with it, and when and by which release it was taken away."""

    factor: RiskFactor
    release: str
    until: datetime
    until_release: str


class ReleaseHistory:
    """Every release and every event, in order; immutable. A replay of the events tells what was in service when."""

    def __init__(self, releases: Sequence[Release] = (), events: Sequence[Event] = ()) -> None:
        self.releases = tuple(releases)
        self.events = tuple(events)
        self.activations = tuple(event for event in self.events if event.kind is not EventKind.LOADED)
        self._by_id = {release.id: release for release in self.releases}

    @property
    def active(self) -> Release:
        """The release in service.

        :raises NoActiveRelease: as long as none ever was
        """
        if not self.activations:
            raise NoActiveRelease
        return self._by_id[self.activations[-1].release]

    def release(self, identity: str) -> Release:
        """The release with this id.

        :raises UnknownRelease: when there is none
        """
        try:
            return self._by_id[identity]
        except KeyError:
            raise UnknownRelease(identity[:64]) from None

    def numbered(self, text: str) -> Release:
        """The release with this id, or with this number, as people write it.

        :raises UnknownRelease: when there is none
        """
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
        return next((each for each in self.releases if each.number == number), None) or self.release(text)

    def of_table(self, table: RiskTable) -> Release | None:
        """The release that this table was loaded as, if it was."""
        return next((each for each in self.releases if each.table_sha256 == table.digest), None)

    def at(self, instant: datetime) -> Release:
        """The release that was in service at an instant (aware).

        :raises InvalidInstant: when none was yet
        """
        number = bisect_right(self._instants, instant)
        if number == 0:
            raise InvalidInstant(instant, "no risk table was in service by then")
        return self._by_id[self.activations[number - 1].release]

    def continues(self, other: "ReleaseHistory") -> bool:
        """Whether everything that happened there happened here, too, and in the same order: nothing was lost."""
        return self.events[: len(other.events)] == other.events

    def settles(self, instant: datetime) -> bool:
        """Whether what was in service at an instant is certain: every event to come is later than it.

        The history decides, not a clock: a replica that is cut off does not know what has happened meanwhile.
        """
        return bool(self.events) and instant <= self.events[-1].at

    def standing(self, identity: str) -> Standing:
        """Where a release stands.

        :raises UnknownRelease: when there is none with this id
        """
        return self._standings.get(self.release(identity).id, Standing(ReleaseStatus.STAGED))

    def predecessor(self) -> Release:
        """The release to roll back to. After a rollback it is the one before that, not the one just left.

        :raises NothingToRollBackTo: when none was in service before
        """
        stack: list[str] = []
        for event in self.activations:
            if event.kind is EventKind.ROLLED_BACK:
                del stack[-1:]
            if event.kind is EventKind.ACTIVATED or event.release not in stack[-1:]:
                stack.append(event.release)
        if len(stack) < 2:
            raise NothingToRollBackTo
        return self._by_id[stack[-2]]

    def withdrawal(self, zipcode: Zipcode, at: datetime | None = None) -> Withdrawal | None:
        """The last time that the zipcode lost its factor, up to now or to an instant; None when it never did."""
        withdrawals = reversed(self._withdrawals.get(zipcode, ()))
        return next((each for each in withdrawals if at is None or each.until <= at), None)

    def next_number(self) -> int:
        """The number of the next release."""
        return max((release.number for release in self.releases), default=0) + 1

    def next_event(self, now: datetime) -> tuple[int, datetime]:
        """The number and the instant of the next event: `now`, or just after the last event where clocks went back."""
        if not self.events:
            return 1, now
        last = self.events[-1]
        return last.number + 1, max(now, last.at + timedelta(microseconds=1))

    @cached_property
    def _instants(self) -> list[datetime]:
        return [event.at for event in self.activations]

    @cached_property
    def _standings(self) -> dict[str, Standing]:
        found: dict[str, Standing] = {}
        for event, following in zip_longest(self.activations, self.activations[1:]):
            retired_at = None if following is None else following.at
            status = ReleaseStatus.ACTIVE if following is None else ReleaseStatus.RETIRED
            found[event.release] = Standing(status, event.at, retired_at)
        return found

    @cached_property
    def _withdrawals(self) -> dict[int, list[Withdrawal]]:
        """Each withdrawal of each zipcode, ascending."""
        found: dict[int, list[Withdrawal]] = {}
        for before, event in pairwise(self.activations):
            for item in event.withdrawn:
                withdrawal = Withdrawal(item.factor, before.release, event.at, event.release)
                for zipcode in range(item.first, item.last + 1):
                    found.setdefault(zipcode, []).append(withdrawal)
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReleaseHistory):
            return NotImplemented
        return (self.releases, self.events) == (other.releases, other.events)

    def __hash__(self) -> int:
        return hash((len(self.releases), self.events))


@dataclass(frozen=True, slots=True)
class InService:
    """The table in service, and the history that put it there."""

    history: ReleaseHistory
    table: RiskTable

    @property
    def release(self) -> Release:
        """The release of the table."""
        return self.history.active
