"""What is damaged or out of reach in a folder of releases is said to be so, and changes nothing."""

import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contracts.zipcode_repository import ALL_A, AUTUMN, EVERY_NUMBER, SPRING, serve

from adapters.folder.log import MAX_LINE_BYTES
from adapters.folder.repository import FileZipcodeRepository
from adapters.folder.store import MAX_LOG_BYTES, MAX_TABLE_BYTES
from domain.errors import StorageUnavailable
from domain.ports import ZipcodeRepository
from domain.risk.releases import Activation, Release, UnknownRelease
from domain.risk.tables import Zipcode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def opened(folder: Path) -> FileZipcodeRepository:
    return FileZipcodeRepository(folder)


def content(folder: Path) -> dict[Path, bytes]:
    """Every file."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table_file(folder: Path, release: Release) -> Path:
    return folder / "releases" / f"{release.id}.json"


class TestLog:
    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            (b'"number":2,"at"', b'"number":3,"at"', 2),
            (b'"kind":"activated"', b'"kind":"enabled"', 2),
            (b'"by":"tester","loaded"', b'"by":"tester","forced":true,"loaded"', 1),
            (b'"ranges":5', b'"ranges":-5', 1),
            (b'"number":1,"label"', b'"number":2,"label"', 1),
            (b'"table_sha256":"a', b'"table_sha256":"b', 1),
            (b'"release":"0001-a64fe5da"', b'"release":"0009-a64fe5da"', 2),
            (b'[1000,1310,"C"]', b'[1310,1000,"C"]', 4),
            (b'[1000,1310,"C"]', b'[0,1310,"C"]', 4),
            (b'[1000,1310,"C"]', b'[1000,1310,"D"]', 4),
            (b'"kind":"activated"', b'"kind":"loaded"', 2),
            (b'"kind":"loaded"', b'"kind":"activated"', 1),
            (b"Z", b"", 1),
            (b"{", b"\n{", 1),
            (b"}\n", b"}}\n", 1),
            (b'"kind"', b'"colour":1,"kind"', 1),
            (b'"at":"20', b'"at":"19', 2),
            (b"tester", b"test\xff", 1),
        ],
    )
    async def test_a_line_of_the_log_that_is_not_believed(
        self, folder: Path, old: bytes, new: bytes, line: int
    ) -> None:
        for wanted in (AUTUMN, SPRING):
            await serve(opened(folder), wanted)
        log = folder / "log.jsonl"
        lines = log.read_bytes().splitlines(keepends=True)
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)
        log.write_bytes(b"".join(lines))
        for call in each_call(opened(folder)):
            with pytest.raises(StorageUnavailable, match=rf"^The store does not answer: log\.jsonl, line {line}: "):
                await call()
        assert log.read_bytes() == b"".join(lines)

    async def test_a_table_that_is_loaded_twice(self, folder: Path) -> None:
        await opened(folder).add(AUTUMN, "tester")
        log = folder / "log.jsonl"
        again = log.read_bytes().replace(b'"number":1', b'"number":2').replace(b"0001-", b"0002-")
        log.write_bytes(log.read_bytes() + again.replace(b'"at":"20', b'"at":"21'))
        with pytest.raises(StorageUnavailable, match="line 2: its table was loaded before"):
            await opened(folder).history()

    async def test_a_line_that_is_absurdly_long(self, folder: Path) -> None:
        await serve(opened(folder), AUTUMN)
        with (folder / "log.jsonl").open("ab") as log:
            log.write(b" " * (MAX_LINE_BYTES + 1) + b"\n")
        with pytest.raises(StorageUnavailable, match="line 3: it has more than"):
            await opened(folder).history()

    @pytest.mark.parametrize(("label", "reason"), [("\ud800", "not Unicode"), ("x" * MAX_LINE_BYTES, "bytes")])
    async def test_a_label_that_cannot_be_kept(self, folder: Path, label: str, reason: str) -> None:
        before = await serve(opened(folder), SPRING)
        with pytest.raises(StorageUnavailable, match=reason):
            await opened(folder).add(replace(AUTUMN, label=label), "tester")
        assert [path.stem for path in (folder / "releases").iterdir()] == [before.id]
        assert (await serve(opened(folder), AUTUMN)).number == 2

    async def test_a_log_that_is_full(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        autumn = await serve(opened(folder), AUTUMN)
        before = (folder / "log.jsonl").read_bytes()
        monkeypatch.setattr("adapters.folder.store.MAX_LOG_BYTES", len(before) + 100)
        with pytest.raises(StorageUnavailable, match=r"log\.jsonl is full"):
            await opened(folder).add(SPRING, "tester")
        assert (folder / "log.jsonl").read_bytes() == before
        assert (await opened(folder).current()).release == autumn


class TestTables:
    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (b'[1000,1310,"C"]', b'[1000,1309,"C"]', "it was changed after it was loaded"),
            (b'[1000,1310,"C"]', b'[1000,1000,"C"],[1001,1310,"C"]', "it was changed after it was loaded"),
            (b"0001-a64fe5da", b"0002-a64fe5da", "it was changed after it was loaded"),
            (b"[1315,", b"[1310,", "overlaps"),
            (b"]]}", b"]]", "truncated"),
        ],
    )
    async def test_a_table_that_is_not_what_was_loaded(self, folder: Path, old: bytes, new: bytes, reason: str) -> None:
        release = await opened(folder).add(AUTUMN, "tester")
        path = table_file(folder, release)
        path.write_bytes(path.read_bytes().replace(old, new, 1))
        repository = opened(folder)
        for call in (repository.table(release.id), repository.activate(Activation(release.id, "t"), expected=None)):
            with pytest.raises(StorageUnavailable, match=rf"releases/{release.id}\.json: .*{reason}"):
                await call
        assert (await repository.history()).activations == ()

    async def test_a_table_that_is_gone(self, folder: Path) -> None:
        release = await serve(opened(folder), AUTUMN)
        (table_file(folder, release)).unlink()
        with pytest.raises(StorageUnavailable, match="cannot be read: No such file"):
            await opened(folder).current()

    async def test_a_file_that_no_log_names_is_no_release(self, folder: Path) -> None:
        await serve(opened(folder), AUTUMN)
        (folder / "releases" / "0002-00000000.json").write_bytes(b"{}")
        with pytest.raises(UnknownRelease):
            await opened(folder).table("0002-00000000")


class TestFolder:
    @pytest.mark.parametrize(("name", "limit"), [("log.jsonl", MAX_LOG_BYTES), ("table", MAX_TABLE_BYTES)])
    async def test_a_file_that_is_absurdly_large(self, folder: Path, name: str, limit: int) -> None:
        release = await serve(opened(folder), AUTUMN)
        os.truncate(folder / (name if name == "log.jsonl" else f"releases/{release.id}.json"), limit + 1)
        with pytest.raises(StorageUnavailable, match=f"larger than {limit // 2**20} MiB"):
            await opened(folder).current()

    async def test_a_folder_that_is_a_file(self, folder: Path) -> None:
        os.close(os.open(folder, os.O_CREAT))
        for call in each_call(opened(folder)):
            with pytest.raises(StorageUnavailable, match="Not a directory"):
                await call()

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO])
    async def test_a_folder_that_takes_nothing(
        self, folder: Path, number: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        autumn = await serve(opened(folder), AUTUMN)
        spring = await opened(folder).add(SPRING, "tester")
        before = content(folder)

        def refuse(*_: object) -> int:
            raise OSError(number, os.strerror(number), str(folder))

        repository = opened(folder)
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refuse)
            for call in (
                repository.add(ALL_A, "tester"),
                repository.activate(Activation(spring.id, "t"), expected=autumn.id),
            ):
                with pytest.raises(StorageUnavailable, match=os.strerror(number)) as raised:
                    await call
                assert str(folder) not in str(raised.value)
        assert before == content(folder)
        assert (await repository.current()).release == autumn


def each_call(repository: ZipcodeRepository) -> list[Callable[[], Awaitable[object]]]:
    """Everything that can be asked of a store."""
    return [
        repository.history,
        repository.current,
        lambda: repository.find(Zipcode(9000)),
        lambda: repository.select([]),
        lambda: repository.table("0001-a64fe5da"),
        lambda: repository.add(EVERY_NUMBER, "tester"),
        lambda: repository.activate(Activation("0001-a64fe5da", "tester"), expected=None),
    ]
