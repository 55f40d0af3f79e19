"""What a store of releases should say after anything that an operator may do, in a few lists; and how to compare."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import strategies as st
from tests.contracts.risk_drafts import ALL_A, ALL_B, AUTUMN, EMPTY, SPRING, tables
from tests.worlds.risk_tables import draft

from domain.clock import InvalidInstant
from domain.ports import ZipcodeRepository
from domain.risk.releases import EventKind, NoRiskFactor, NothingToRollBackTo, UnknownRelease
from domain.risk.tables import RiskFactor, RiskTable, Zipcode
from domain.use_cases.releases import ReleaseService
from domain.use_cases.zipcodes import RiskService

Step = RiskTable | int | None
"""Load a table, put the release with this number into service, or roll back."""

Lost = tuple[RiskFactor, int, int]
"""The factor that a zipcode had, in the release with which number, and the number of the one that took it away."""

ASKED = [Zipcode(zipcode) for zipcode in (1000, 1311, 1315, 1320, 4000, 9000, 9999)]


def steps() -> st.SearchStrategy[list[Step]]:
    """What operators may do one after the other, in any order; a few tables come again and again."""
    table = st.sampled_from([AUTUMN, SPRING, ALL_A, ALL_B, EMPTY]).map(lambda known: known.table) | tables()
    return st.lists(table | st.integers(1, 6) | st.none(), min_size=1, max_size=8)


@dataclass
class ReleaseModel:
    """`tables` by number, from 1; `lines` of the log; `stack` of what a rollback returns to, the active one last."""

    tables: list[RiskTable] = field(default_factory=list)
    lines: list[tuple[EventKind, int]] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)

    def load(self, table: RiskTable) -> int:
        if table not in self.tables:
            self.tables.append(table)
            self.lines.append((EventKind.LOADED, len(self.tables)))
        return self.tables.index(table) + 1

    def activate(self, number: int) -> None:
        if self.stack[-1:] != [number]:
            self.stack.append(number)
            self.lines.append((EventKind.ACTIVATED, number))

    def roll_back(self) -> int:
        self.stack.pop()
        self.lines.append((EventKind.ROLLED_BACK, self.stack[-1]))
        return self.stack[-1]

    def in_service(self, lines: int) -> list[int]:
        """The numbers of what was in service, one after the other, as the first so many lines of the log say."""
        return [number for kind, number in self.lines[:lines] if kind is not EventKind.LOADED]

    def lost(self, zipcode: Zipcode, lines: int) -> Lost | None:
        """How the zipcode lost its factor the last time."""
        numbers = self.in_service(lines)
        for before, after in reversed(list(pairwise(numbers))):
            factor = self.tables[before - 1].factor(zipcode)
            if factor is not None and self.tables[after - 1].factor(zipcode) is None:
                return factor, before, after
        return None


async def follow(step: Step, repository: ZipcodeRepository, model: ReleaseModel) -> None:
    """Take one step on both; they agree on its outcome."""
    service = ReleaseService(repository)
    if isinstance(step, RiskTable):
        known = step in model.tables
        loaded = await service.load(draft(step), "tester")
        assert (loaded.release.number, loaded.known) == (model.load(step), known)
    elif step is None and len(model.stack) < 2:
        with pytest.raises(NothingToRollBackTo):
            await service.rollback("tester")
    elif step is None:
        assert (await service.rollback("tester")).release.number == model.roll_back()
    elif step > len(model.tables):
        with pytest.raises(UnknownRelease):
            await service.activate(f"{step:04}-00000000", "tester", force=True)
    else:
        identity = (await service.history()).numbered(str(step)).id
        activated = await service.activate(identity, "tester", force=True)
        assert activated.already is (model.stack[-1:] == [step])
        model.activate(step)


async def assert_equal(repository: ZipcodeRepository, model: ReleaseModel, since: int = 0) -> None:
    """The log is that of the model, and so is every answer of now and as of each line of it after the first `since`."""
    history = await repository.history()
    ids = [release.id for release in history.releases]
    numbers = {identity: number for number, identity in enumerate(ids, start=1)}
    assert [release.number for release in history.releases] == list(numbers.values())
    assert [release.table_sha256 for release in history.releases] == [table.digest for table in model.tables]
    assert [(event.kind, numbers[event.release]) for event in history.events] == model.lines
    if model.stack:
        current = await repository.current()
        assert (current.release.number, current.table) == (model.stack[-1], model.tables[model.stack[-1] - 1])

    service = RiskService(repository, lambda: datetime.now(UTC))
    for lines, event in list(enumerate(history.events, start=1))[since:]:
        for instant, seen in ((event.at - timedelta(microseconds=1), lines - 1), (event.at, lines)):
            served = model.in_service(seen)
            if not served:
                with pytest.raises(InvalidInstant):
                    await service.view(instant)
                continue
            view = await service.view(instant)
            assert view.release.number == served[-1]
            for zipcode in ASKED:
                expected: RiskFactor | Lost | None = model.tables[served[-1] - 1].factor(zipcode)
                try:
                    found: RiskFactor | Lost | None = view.factor(zipcode)
                except NoRiskFactor as error:
                    was, expected = error.withdrawal, model.lost(zipcode, seen)
                    found = was if was is None else (was.factor, numbers[was.release], numbers[was.until_release])
                    assert was is None or was.until <= instant
                assert found == expected, f"zipcode {zipcode} after {seen} lines"
