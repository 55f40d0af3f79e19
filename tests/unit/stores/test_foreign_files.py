"""A folder of releases in which there are links, pipes and the like: no link is followed, no pipe is waited for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, SPRING, serve

from adapters.folder.repository import FileZipcodeRepository
from domain.errors import StorageUnavailable

Put = Callable[[Path, Path], None]


def link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def hard_link(path: Path, elsewhere: Path) -> None:
    path.hardlink_to(elsewhere)


def pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def directory(path: Path, _: Path) -> None:
    path.mkdir()


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    await serve(FileZipcodeRepository(path), AUTUMN)
    return path


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_bytes(b"precious")
    return path


def unharmed(victim: Path) -> bool:
    return victim.read_bytes() == b"precious"


class TestWriting:
    @pytest.mark.parametrize("put", [link, hard_link, pipe])
    @pytest.mark.parametrize("name", ["releases/unfinished", "unfinished"])
    async def test_what_stands_where_a_file_is_begun_is_left_as_it_is(
        self, folder: Path, victim: Path, put: Put, name: str
    ) -> None:
        put(folder / name, victim)
        await serve(FileZipcodeRepository(folder), SPRING)
        assert unharmed(victim)
        assert (await FileZipcodeRepository(folder).current()).table == SPRING.table

    @pytest.mark.parametrize("put", [link, pipe, directory])
    @pytest.mark.parametrize("name", ["lock", "log.jsonl", "log.head"])
    async def test_other_things_than_files_are_not_written_to(
        self, folder: Path, victim: Path, put: Put, name: str
    ) -> None:
        (folder / name).unlink()
        put(folder / name, victim)
        with pytest.raises(StorageUnavailable):
            await FileZipcodeRepository(folder).add(ALL_A, "tester")
        assert unharmed(victim)

    async def test_a_link_to_nowhere_makes_no_file_there(self, folder: Path, tmp_path: Path) -> None:
        (folder / "lock").unlink()
        (folder / "lock").symlink_to(tmp_path / "made")
        with pytest.raises(StorageUnavailable, match="the folder cannot be written: it is a link"):
            await FileZipcodeRepository(folder).add(ALL_A, "tester")
        assert not (tmp_path / "made").exists()

    async def test_a_folder_of_tables_that_is_a_link_is_refused(self, folder: Path, tmp_path: Path) -> None:
        (folder / "releases").rename(tmp_path / "elsewhere")
        (folder / "releases").symlink_to(tmp_path / "elsewhere")
        repository = FileZipcodeRepository(folder)
        for call in (repository.history(), repository.add(ALL_A, "tester")):
            with pytest.raises(StorageUnavailable, match="releases/ is no folder"):
                await call
        assert len(list((tmp_path / "elsewhere").iterdir())) == 1


class TestReading:
    @pytest.mark.parametrize(("put", "reason"), [(link, "it is a link"), (pipe, "it is no regular file")])
    @pytest.mark.parametrize("name", ["log.jsonl", "log.head", "releases/0001-a64fe5da.json"])
    async def test_a_link_or_a_pipe_is_refused_at_once(  # or this test would hang
        self, folder: Path, victim: Path, put: Put, reason: str, name: str
    ) -> None:
        (folder / name).unlink()
        put(folder / name, victim)
        with pytest.raises(StorageUnavailable, match=f"{name} cannot be read: {reason}"):
            await FileZipcodeRepository(folder).current()

    async def test_the_folder_itself_may_be_a_link(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "there").symlink_to(folder)
        assert (await FileZipcodeRepository(tmp_path / "there").current()).table == AUTUMN.table


class TestOwner:
    async def test_a_folder_of_somebody_else_is_refused(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        me = os.geteuid()
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)
        if me == 0:  # what belongs to root is trusted: root could do anything anyway
            assert (await FileZipcodeRepository(folder).current()).table == AUTUMN.table
            real = os.stat
            monkeypatch.setattr(os, "stat", lambda path, **options: owned_by(4711, real(path, **options)))
        with pytest.raises(
            StorageUnavailable, match=r"the folder belongs to the user .* make it belong to the user of"
        ):
            await FileZipcodeRepository(folder).current()


def owned_by(user: int, found: os.stat_result) -> os.stat_result:
    return os.stat_result((*found[:4], user, *found[5:]))
