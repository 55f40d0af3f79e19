"""What an operator does with risk tables: load, compare, put into service, roll back."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from domain.errors import LogicalError, NoActiveRelease
from domain.ports import ZipcodeRepository
from domain.risk.comparison import DEFAULT_MAX_SHARE, Comparison
from domain.risk.releases import Activation, ActiveReleaseChanged, Draft, EventKind, Release, ReleaseHistory
from domain.risk.tables import RiskTable


@dataclass(eq=False)
class TooMuchChange(LogicalError):
    """`comparison` has the changes, and `reasons` says why they look like a mistake."""

    release: str
    comparison: "Comparison"
    reasons: Sequence[str]

    def __str__(self) -> str:
        return f"Release {self.release} was not put into service: {'; '.join(self.reasons)}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The release of a draft; `known` says that its table had been loaded before, `history` has it."""

    release: Release
    known: bool
    history: ReleaseHistory


@dataclass(frozen=True, slots=True)
class Activated:
    """The release in service, the one before, and what differs. `already` says that it was in service before.

    `history` has what was done, so that nobody need ask the store for it, which may have gone away meanwhile.
    """

    release: Release
    before: Release | None
    comparison: Comparison
    history: ReleaseHistory
    already: bool = False


class ReleaseService:
    """Every method raises `StorageUnavailable` when the store does not answer.

    What was under way then happened wholly or not at all: the answer may be what got lost.
    """

    def __init__(self, repository: ZipcodeRepository, max_share: Fraction = DEFAULT_MAX_SHARE) -> None:
        """`max_share` is how much of a table may change without being forced."""
        self._repository = repository
        self.max_share = max_share

    async def history(self) -> ReleaseHistory:
        """Every release, and what happened to it."""
        return await self._repository.history()

    async def table(self, release: str) -> RiskTable:
        """The table of a release.

        :raises UnknownRelease: when there is none with this id
        """
        return await self._repository.table(release)

    async def load(self, draft: Draft, by: str) -> Loaded:
        """Make a release of a draft, without putting it into service."""
        history = await self._repository.history()
        known = history.of_table(draft.table)
        if known is not None:
            return Loaded(known, known=True, history=history)
        release = await self._repository.add(draft, by)
        return Loaded(release, known=False, history=ReleaseHistory([*history.releases, release], history.events))

    async def compare(self, after: RiskTable) -> tuple[Release | None, Comparison]:
        """What putting a table into service would change, and in place of which release."""
        before, table = await self._in_service(await self._repository.history())
        return before, Comparison(table, after)

    async def activate(self, release: str, by: str, *, force: bool = False) -> Activated:
        """Put a release into service.

        :raises UnknownRelease: when there is none with this id
        :raises TooMuchChange: when the change looks like a mistake, unless it is forced
        :raises ActiveReleaseChanged: when somebody else put one into service meanwhile
        """
        history = await self._repository.history()
        return await self._put_into_service(history.release(release), history, by, force=force)

    async def rollback(self, by: str, *, leaving: str | None = None) -> Activated:
        """Put the release into service that was before the active one, however much that changes.

        Twice goes back twice; with `leaving`, it is done only while that release is in service.

        :raises NothingToRollBackTo: when none was
        :raises ActiveReleaseChanged: when somebody else put one into service meanwhile, or `leaving` is not in service
        """
        history = await self._repository.history()
        if leaving is not None and history.activations and history.active.id != leaving:
            raise ActiveReleaseChanged(leaving, history.active.id)
        return await self._put_into_service(history.predecessor(), history, by, rollback=True)

    async def seed(self, draft: Draft, by: str) -> bool:
        """Put a draft into service if no release is: True when this did. Of several callers at once one does."""
        history = await self._repository.history()
        if history.activations:
            return False
        release = await self._repository.add(draft, by)
        try:
            await self._repository.activate(Activation(release.id, by), expected=None)
        except ActiveReleaseChanged:
            return False
        return True

    async def _put_into_service(
        self, release: Release, history: ReleaseHistory, by: str, *, force: bool = False, rollback: bool = False
    ) -> Activated:
        before, table = await self._in_service(history)
        comparison = Comparison(table, await self._repository.table(release.id))
        if release == before and not rollback:
            return Activated(release, before, comparison, history, already=True)
        reasons = [] if rollback else comparison.objections(self.max_share)
        if reasons and not force:
            raise TooMuchChange(release.id, comparison, reasons)
        kind = EventKind.ROLLED_BACK if rollback else EventKind.ACTIVATED
        activation = Activation(release.id, by, kind, forced=bool(reasons), withdrawn=comparison.withdrawn)
        event = await self._repository.activate(activation, expected=None if before is None else before.id)
        return Activated(release, before, comparison, ReleaseHistory(history.releases, [*history.events, event]))

    async def _in_service(self, history: ReleaseHistory) -> tuple[Release | None, RiskTable]:
        try:
            release = history.active
        except NoActiveRelease:
            return None, RiskTable()
        return release, await self._repository.table(release.id)
