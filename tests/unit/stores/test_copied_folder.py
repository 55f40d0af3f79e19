"""A copy of the folder that is made while somebody writes to it: what it says is true, or it is refused."""

import asyncio
import shutil
from itertools import permutations, product
from pathlib import Path

import pytest
from tests.contracts.zipcode_repository import ALL_A, ALL_B, AUTUMN, SPRING, serve

from adapters.folder.repository import FileZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.releases import ReleaseHistory

PARTS = ("log.head", "log.jsonl", "releases")
LATER = (ALL_A, ALL_B)


def copy(source: Path, to: Path, part: str) -> None:
    if (source / part).is_dir():
        shutil.copytree(source / part, to / part)
    else:
        shutil.copy(source / part, to / part)


async def lost(copied: Path, truth: ReleaseHistory) -> str | None:
    """Why a copy is refused; None for one of which all is there. Nothing that it says is wrong."""
    repository = FileZipcodeRepository(copied)
    try:
        history = (await repository.current()).history
        assert truth.continues(history)
        for release in history.releases:
            assert (await repository.table(release.id)).digest == release.table_sha256
    except StorageUnavailable as error:
        return error.reason
    return None


@pytest.mark.parametrize("order", list(permutations(PARTS)), ids=", ".join)
@pytest.mark.parametrize("meanwhile", list(product(range(3), range(3))), ids=str)
async def test_a_copy_without_the_lock_is_true_or_refused(
    tmp_path: Path, order: tuple[str, ...], meanwhile: tuple[int, int]
) -> None:
    """`meanwhile` is how many releases are put into service after the first part was copied, and after the second."""
    source, copied = tmp_path / "data", tmp_path / "copy"
    copied.mkdir()
    repository = FileZipcodeRepository(source)
    for table in (AUTUMN, SPRING):
        await serve(repository, table)
    later = iter((*LATER, *LATER))
    for part, number in zip(order, (*meanwhile, 0), strict=True):
        await asyncio.to_thread(copy, source, copied, part)
        for _ in range(number):
            await serve(repository, next(later))
    reason = await lost(copied, await repository.history())
    if meanwhile == (0, 0):
        assert reason is None
    elif reason is not None:
        assert "has lost lines" in reason or "cannot be read: No such file" in reason


async def test_the_parts_as_they_are_under_the_lock_are_a_whole_history(tmp_path: Path) -> None:
    source = tmp_path / "data"
    repository = FileZipcodeRepository(source)
    for number, table in enumerate((AUTUMN, SPRING, ALL_A)):
        await serve(repository, table)
        copied = tmp_path / f"copy {number}"
        await asyncio.to_thread(shutil.copytree, source, copied)
        assert await lost(copied, await repository.history()) is None
