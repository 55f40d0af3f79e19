import asyncio
import fcntl
import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.release_model import ReleaseModel, Step, assert_equal, follow, steps
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, EVERY_NUMBER, SPRING, ZipcodeRepositoryContract, serve
from tests.worlds.examples import slow

from adapters.caching.risk_tables import CachedZipcodeRepository
from adapters.folder.repository import PATIENCE, FileZipcodeRepository, make_watcher
from domain.errors import StorageUnavailable
from domain.ports import ZipcodeRepository


async def at_once(seconds: float) -> None:
    """Lets others go on, and takes no time."""
    await asyncio.sleep(0)


def opened(folder: Path) -> FileZipcodeRepository:
    return FileZipcodeRepository(folder, sleep=at_once)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


class TestFileZipcodeRepository(ZipcodeRepositoryContract):
    @pytest.fixture
    def repository(self, folder: Path) -> ZipcodeRepository:
        return opened(folder)


class TestReopening:
    async def test_what_was_in_service_is_in_service_after_a_restart(self, folder: Path) -> None:
        release = await serve(opened(folder), AUTUMN)
        current = await opened(folder).current()
        assert current.release == release
        assert current.table.ranges == AUTUMN.table.ranges

    async def test_one_process_answers_with_what_another_one_activated(self, folder: Path) -> None:
        reader, writer = opened(folder), opened(folder)
        for wanted in (AUTUMN, SPRING, AUTUMN, ALL_A):
            release = await serve(writer, wanted)
            assert (await reader.current()).release == release
            assert await reader.history() == await writer.history()

    async def test_what_did_not_change_is_not_read_again(self, folder: Path) -> None:
        await serve(opened(folder), EVERY_NUMBER)
        reader = opened(folder)
        assert await reader.history() is await reader.history()
        assert await reader.current() is await reader.current()

    async def test_a_log_that_was_put_back_from_a_backup_is_what_counts_once_that_was_confirmed(
        self, folder: Path
    ) -> None:
        reader, log = opened(folder), folder / "log.jsonl"
        autumn = await serve(opened(folder), AUTUMN)
        backup = log.read_bytes()
        await serve(opened(folder), SPRING)
        assert (await reader.current()).table == SPRING.table
        log.write_bytes(backup)
        with pytest.raises(StorageUnavailable, match=r"has lost lines: 2 of 4 are left; put log\.jsonl back"):
            await reader.current()
        (folder / "log.head").unlink()  # which is the other way out
        assert (await reader.current()).release == autumn
        assert (await reader.add(SPRING, "tester")).number == 2

    async def test_a_line_in_place_of_a_torn_one_is_seen_even_when_the_file_looks_the_same(self, folder: Path) -> None:
        reader, log = opened(folder), folder / "log.jsonl"
        await serve(opened(folder), AUTUMN)
        whole = log.read_bytes()
        log.write_bytes(whole[:-1] + b" ")
        torn = log.stat()
        assert (await reader.history()).activations == ()
        log.write_bytes(whole)
        os.utime(log, ns=(torn.st_atime_ns, torn.st_mtime_ns))
        assert len((await reader.history()).activations) == 1

    @slow(60)
    @given(taken=steps())
    async def test_reopening_after_every_step_gives_the_same_history(self, taken: list[Step]) -> None:
        with tempfile.TemporaryDirectory() as name:
            going_on, model = opened(Path(name)), ReleaseModel()
            for step in taken:
                await follow(step, opened(Path(name)), model)
                assert await going_on.history() == await opened(Path(name)).history()
            await assert_equal(opened(Path(name)), model)

    @given(
        label=st.text(st.characters(exclude_categories=["Cs"])), by=st.text(st.characters(exclude_categories=["Cs"]))
    )
    async def test_any_text_comes_back_as_it_was(self, label: str, by: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            release = await opened(Path(name)).add(replace(AUTUMN, label=label), by)
            assert (release.label, release.created_by) == (label, by)
            history = await opened(Path(name)).history()
            assert history.releases == (release,)
            assert history.events[0].by == by

    @pytest.mark.parametrize("label", ["two\nlines\r\n", "\u2028\x85\x00", "x" * 500_000, '"}\n{"number": 2', ""])
    async def test_a_label_cannot_break_the_log(self, folder: Path, label: str) -> None:
        await opened(folder).add(replace(AUTUMN, label=label), label)
        release = await serve(opened(folder), SPRING)
        assert [each.label for each in (await opened(folder).history()).releases] == [label, SPRING.label]
        assert (await opened(folder).current()).release == release

    async def test_files_are_for_everyone_to_read_and_for_their_owner_to_write(self, folder: Path) -> None:
        before = os.umask(0o022)
        try:
            release = await serve(opened(folder), AUTUMN)
        finally:
            os.umask(before)
        names = ["lock", "log.jsonl", f"releases/{release.id}.json"]
        assert [(folder / name).stat().st_mode & 0o777 for name in names] == [0o644] * 3


class TestWaiting:
    """A writer that finds another at work, which here is whoever holds the lock."""

    async def test_it_is_told_so_when_that_takes_too_long(self, folder: Path) -> None:
        await serve(opened(folder), AUTUMN)
        waited = 0.0

        async def sleep(seconds: float) -> None:
            nonlocal waited
            waited += seconds

        repository = FileZipcodeRepository(folder, sleep=sleep, monotonic=lambda: waited)
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StorageUnavailable, match="somebody else is changing the releases"):
                await repository.add(SPRING, "tester")
            assert waited == pytest.approx(PATIENCE, abs=0.1)
            assert (await repository.current()).table == AUTUMN.table  # who reads does not wait
        assert (await repository.add(SPRING, "tester")).number == 2

    async def test_it_goes_on_as_soon_as_the_other_is_done(self, folder: Path) -> None:
        await serve(opened(folder), AUTUMN)
        lock = (folder / "lock").open("rb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        sleeps = count(1)

        async def sleep(seconds: float) -> None:
            if next(sleeps) == 3:
                lock.close()

        release = await FileZipcodeRepository(folder, sleep=sleep).add(SPRING, "tester")
        assert (release.number, next(sleeps)) == (2, 4)


class TestWatching:
    async def test_it_says_at_once_and_after_every_look_whether_there_is_a_change(self, folder: Path) -> None:
        looks = 0

        async def sleep(seconds: float) -> None:
            nonlocal looks
            assert seconds == 0.25
            looks += 1
            if looks in {2, 5}:
                await serve(opened(folder), AUTUMN if looks == 2 else SPRING)

        changes = make_watcher(folder, 0.25, sleep=sleep)()
        found = [await anext(changes) for _ in range(6)]
        assert [look for look, changed in enumerate(found) if changed] == [0, 2, 5]
        assert looks == 5
        await changes.aclose()

    async def test_a_held_table_follows_what_another_process_activates(self, folder: Path) -> None:
        await serve(opened(folder), AUTUMN)
        look, looked = asyncio.Event(), asyncio.Event()

        async def sleep(seconds: float) -> None:
            looked.set()
            await look.wait()
            look.clear()

        held = CachedZipcodeRepository(
            opened(folder), listen=make_watcher(folder, 1, sleep=sleep), check_every=timedelta(days=1)
        )
        following = asyncio.create_task(held.run())
        await looked.wait()
        before = held.version()
        spring = await serve(opened(folder), SPRING)
        assert (await held.current()).table == AUTUMN.table
        looked.clear()
        look.set()
        await looked.wait()
        assert (await held.current()).release == spring
        assert held.version() is not before
        following.cancel()
        await asyncio.wait([following])

    async def test_it_says_when_it_cannot_look(self, folder: Path) -> None:
        async def sleep(seconds: float) -> None:
            os.close(os.open(folder, os.O_CREAT))

        changes = make_watcher(folder, 1, sleep=sleep)()
        await anext(changes)
        with pytest.raises(StorageUnavailable, match="Not a directory"):
            await anext(changes)
