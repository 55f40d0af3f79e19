"""A log that lost lines, or that a wrong clock wrote, is not believed: nothing older is served in its place unasked."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, serve

from adapters.folder.repository import FileZipcodeRepository
from adapters.folder.store import ReleaseFolder
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation
from domain.use_cases.releases import ReleaseService
from entrypoints.container import Container
from entrypoints.lifecycle import NotStartedError, running
from entrypoints.settings import Settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAY_OUT = r"put log\.jsonl back from a copy; or, to go on with what is left, remove log\.head"
SAMPLE = "0001-168866b8"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Two releases, the second one in service: four lines."""
    path = tmp_path / "data"
    for table in (AUTUMN, SPRING):
        await serve(FileZipcodeRepository(path), table)
    return path


def lines(folder: Path) -> list[bytes]:
    return (folder / "log.jsonl").read_bytes().splitlines(keepends=True)


def keep(folder: Path, kept: list[bytes]) -> None:
    (folder / "log.jsonl").write_bytes(b"".join(kept))


def container(folder: Path) -> Container:
    return Container(settings=Settings(health_index_source="snapshot", data_dir=folder))


class TestEnd:
    @pytest.mark.parametrize("left", range(4))
    async def test_a_log_that_lost_its_last_lines_is_refused_with_the_way_out(self, folder: Path, left: int) -> None:
        keep(folder, lines(folder)[:left])
        with pytest.raises(StorageUnavailable, match=rf"has lost lines: {left} of 4 are left; {WAY_OUT}"):
            await FileZipcodeRepository(folder).history()

    async def test_a_log_that_is_gone_is_refused(self, folder: Path) -> None:
        (folder / "log.jsonl").unlink()
        with pytest.raises(StorageUnavailable, match="0 of 4 are left"):
            await FileZipcodeRepository(folder).history()

    @pytest.mark.parametrize("left", range(3))
    async def test_tables_alone_show_it_where_no_head_was_ever_written(self, folder: Path, left: int) -> None:
        (folder / "log.head").unlink()
        await FileZipcodeRepository(folder).add(ALL_A, "tester")
        (folder / "log.head").unlink()
        keep(folder, lines(folder)[:left])
        with pytest.raises(StorageUnavailable, match=rf"it does not name 000[23]-.*; {WAY_OUT}"):
            await FileZipcodeRepository(folder).history()

    async def test_another_log_in_its_place_is_refused(self, folder: Path, tmp_path: Path) -> None:
        other = FileZipcodeRepository(tmp_path / "other")
        for table in (AUTUMN, SPRING):
            await serve(other, table)
        keep(folder, lines(tmp_path / "other"))
        with pytest.raises(StorageUnavailable, match="its last line is another one"):
            await FileZipcodeRepository(folder).history()

    async def test_a_service_that_runs_goes_on_with_what_it_holds(self, folder: Path) -> None:
        one = container(folder)
        async with running(one):
            held = await one.held().current()
            keep(folder, [])
            with pytest.raises(StorageUnavailable):
                await one.store().current()
            assert await one.repository().current() is held

    @pytest.mark.parametrize("content", [b"", b"{}", b'{"events":-1,"line":"' + b"0" * 64 + b'"}\n', b"x" * 2000])
    async def test_a_head_that_is_not_understood_is_refused(self, folder: Path, content: bytes) -> None:
        (folder / "log.head").write_bytes(content)
        with pytest.raises(StorageUnavailable, match=r"log\.head"):
            await FileZipcodeRepository(folder).history()

    async def test_a_head_that_lags_behind_says_nothing_wrong(self, folder: Path) -> None:
        before = (folder / "log.head").read_bytes()
        await FileZipcodeRepository(folder).add(ALL_A, "tester")
        (folder / "log.head").write_bytes(before)  # the writer was stopped in between
        assert len((await FileZipcodeRepository(folder).history()).events) == 5
        await serve(FileZipcodeRepository(folder), ALL_A)
        assert len((await FileZipcodeRepository(folder).history()).events) == 6


class TestChain:
    async def test_each_line_holds_the_digest_of_the_one_before(self, folder: Path) -> None:
        for before, after in pairwise(lines(folder)):
            assert f'"previous":"{sha256(before[:-1]).hexdigest()}"'.encode() in after

    @pytest.mark.parametrize("changed", range(3))
    async def test_a_line_that_was_changed_into_another_valid_one_is_refused(self, folder: Path, changed: int) -> None:
        kept = lines(folder)
        kept[changed] = kept[changed].replace(b'"by":"tester"', b'"by":"nobody"')
        keep(folder, kept)
        with pytest.raises(StorageUnavailable, match=rf"line {changed + 2}: it does not follow the line before"):
            await FileZipcodeRepository(folder).history()

    async def test_a_line_without_a_digest_does_not_follow_one_that_has_it(self, folder: Path) -> None:
        kept = lines(folder)
        start = kept[3].index(b',"previous"')
        kept[3] = kept[3][:start] + b"}\n"
        keep(folder, kept)
        with pytest.raises(StorageUnavailable, match="line 4: it does not follow the line before"):
            await FileZipcodeRepository(folder).history()

    async def test_a_log_of_before_there_was_a_chain_is_read_and_chained_from_there_on(self, folder: Path) -> None:
        keep(folder, [line[: line.index(b',"previous"')] + b"}\n" for line in lines(folder)])
        (folder / "log.head").unlink()
        assert len((await FileZipcodeRepository(folder).history()).events) == 4
        await FileZipcodeRepository(folder).add(ALL_A, "tester")
        kept = lines(folder)
        assert [b"previous" in line for line in kept] == [False] * 4 + [True]
        keep(folder, [*kept[:3], kept[3].replace(b"tester", b"nobody"), kept[4]])
        with pytest.raises(StorageUnavailable, match="line 5: it does not follow the line before"):
            await FileZipcodeRepository(folder).history()


class TestSeeding:
    @pytest.mark.parametrize("spoil", [lambda log: log.write_bytes(b""), lambda log: log.unlink()])
    async def test_nothing_is_seeded_where_there_are_releases_that_the_log_does_not_name(
        self, tmp_path: Path, spoil: Callable[[Path], object]
    ) -> None:
        folder = tmp_path / "data"
        await FileZipcodeRepository(folder).add(AUTUMN, "tester")
        (folder / "log.head").unlink()  # as a version of before it was written leaves the folder
        spoil(folder / "log.jsonl")
        with pytest.raises(
            NotStartedError, match=rf"DATA_DIR: log\.jsonl has no line, and releases/ has .*; {WAY_OUT}"
        ):
            async with running(container(folder)):
                raise AssertionError
        assert [path.stem for path in (folder / "releases").iterdir()] == ["0001-a64fe5da"]

    async def test_a_first_start_that_was_killed_is_repeated(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        async with running(container(folder)):
            pass
        for name in ("log.jsonl", "log.head"):
            (folder / name).unlink()
        async with running(one := container(folder)):
            assert (await one.repository().current()).release.id == SAMPLE


class TestTorn:
    async def test_a_start_warns_of_a_torn_line_with_its_bytes_and_the_release_that_is_served(
        self, folder: Path
    ) -> None:
        whole = (folder / "log.jsonl").read_bytes()
        os.truncate(folder / "log.jsonl", len(whole) - 20)
        with capture_logs() as logs:
            async with running(one := container(folder)):
                served = (await one.repository().current()).release
        assert served.number == 1
        [line] = [
            line for line in logs if line["event"] == "the last line of log.jsonl is not whole, and does not count"
        ]
        assert (line["log_level"], line["release"]) == ("warning", served.id)
        assert line["bytes"] == len(lines(folder)[3])

    async def test_a_start_on_a_whole_log_warns_of_nothing(self, folder: Path) -> None:
        with capture_logs() as logs:
            async with running(container(folder)):
                pass
        assert not [line for line in logs if "not whole" in line["event"]]

    async def test_a_writer_who_is_stopped_after_a_torn_line_leaves_a_log_that_is_read(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        os.truncate(folder / "log.jsonl", (folder / "log.jsonl").stat().st_size - 20)
        real, renamed = os.replace, 0

        def replace(source: Path, target: Path) -> None:
            nonlocal renamed
            renamed += 1
            if renamed == 2:  # the head, after the line
                raise KeyboardInterrupt
            real(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", replace)
            with pytest.raises(KeyboardInterrupt):
                ReleaseFolder(folder, lambda: datetime.now(UTC)).activate(
                    Activation((await FileZipcodeRepository(folder).history()).releases[1].id, "other"),
                    (await FileZipcodeRepository(folder).history()).active.id,
                )
        events = (await FileZipcodeRepository(folder).history()).events
        assert [event.by for event in events] == ["tester"] * 3 + ["other"]


class TestDates:
    """The clock of a machine that was wrong once must not date everything that comes after it."""

    @staticmethod
    async def written(folder: Path, at: datetime) -> None:
        await serve(FileZipcodeRepository(folder, clock=lambda: at), AUTUMN)

    @pytest.mark.parametrize("year", [2027, 2099, 9999])
    async def test_an_event_of_more_than_a_day_ahead_is_refused(self, tmp_path: Path, year: int) -> None:
        await self.written(tmp_path, NOON.replace(year=year))
        repository = FileZipcodeRepository(tmp_path, clock=lambda: NOON)
        reason = rf"line 1: it is dated {year}-11-22, more than a day ahead of the clock of this machine"
        for call in (repository.history(), repository.add(SPRING, "tester"), ReleaseService(repository).rollback("t")):
            with pytest.raises(StorageUnavailable, match=reason):
                await call

    async def test_one_of_less_than_a_day_ahead_is_read_and_the_next_one_is_later(self, tmp_path: Path) -> None:
        ahead = NOON + timedelta(hours=23)
        await self.written(tmp_path, ahead)
        repository = FileZipcodeRepository(tmp_path, clock=lambda: NOON)
        assert (await serve(repository, SPRING)).created_at > ahead

    async def test_the_last_instant_of_all_ends_in_no_trace(self, tmp_path: Path) -> None:
        await self.written(tmp_path, NOON)
        last = lines(tmp_path)
        stamp = last[1][last[1].index(b'"at":"') + 6 :].split(b'"')[0]
        keep(tmp_path, [last[0], last[1].replace(stamp, b"9999-12-31T23:59:59.999999Z")])
        repository = FileZipcodeRepository(tmp_path, clock=lambda: NOON)
        with pytest.raises(StorageUnavailable, match="it is dated 9999-12-31"):
            await ReleaseService(repository).rollback("tester")
