"""What the doctor says of this machine: packages, clock, descriptors, port and folder."""

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.worlds import NOW

from entrypoints.doctor.findings import Finding, Outcome
from entrypoints.doctor.folder import LITTLE, Folder, _file_system, _writer, folder_finding, look_at_folder
from entrypoints.doctor.machine import (
    HeardTime,
    Port,
    clock_finding,
    descriptors_finding,
    port_findings,
    python_finding,
)
from entrypoints.settings import Settings


def has(found: Finding, outcome: Outcome, *words: str) -> bool:
    """Whether a finding has this outcome and these words."""
    assert found.outcome is outcome, found.line
    assert [each for each in words if each not in found.line] == [], found.line
    return True


class TestPython:
    REQUIREMENTS = ("click>=8", 'uvloop>=0.23; sys_platform != "win32"', 'some.thing>=1; extra == "more"')

    def test_extras_are_told_whether_or_not_they_are_installed(self) -> None:
        assert has(python_finding(self.REQUIREMENTS, {"click": "8.2", "belref": "1.0"}), Outcome.OK, "belref 1.0")
        assert "more not installed" in python_finding(self.REQUIREMENTS, {"click": "8.2"}).line
        assert "more installed" in python_finding(self.REQUIREMENTS, {"click": "8.2", "some-thing": "1"}).line

    def test_a_package_that_is_missing_fails(self) -> None:
        assert has(python_finding(self.REQUIREMENTS, {}), Outcome.FAILED, "not installed: click")


class TestClock:
    def heard(self, ahead: float, took: float = 0.1) -> HeardTime:
        return HeardTime("Postgres", NOW, NOW - timedelta(seconds=ahead), NOW + timedelta(seconds=took))

    @pytest.mark.parametrize("ahead", [0, 4, -4, 6])  # the time that was told may lack its fraction: a second is free
    def test_a_clock_that_is_about_right_is_well(self, ahead: float) -> None:
        assert has(clock_finding([self.heard(ahead)], NOW), Outcome.OK, "in Brussels", "Postgres agrees")

    @pytest.mark.parametrize(("ahead", "words"), [(61, "60 s ahead of Postgres"), (-60.1, "60 s behind Postgres")])
    def test_a_clock_that_is_wrong_says_by_how_much(self, ahead: float, words: str) -> None:
        assert has(clock_finding([self.heard(ahead)], NOW), Outcome.WARNING, words, "chrony")

    def test_a_slow_answer_is_no_skew(self) -> None:
        assert has(clock_finding([self.heard(-7, took=8)], NOW), Outcome.OK)

    def test_a_clock_that_nobody_is_there_to_compare_with_says_so(self) -> None:
        assert has(clock_finding([], NOW), Outcome.OK, "not compared")


@pytest.mark.parametrize(("limit", "outcome"), [(1024, Outcome.WARNING), (65_536, Outcome.OK), (None, Outcome.OK)])
def test_too_few_descriptors_for_the_clients_that_are_allowed_is_a_warning(limit: int | None, outcome: Outcome) -> None:
    found = descriptors_finding(limit, Settings(max_connections=1000))
    assert has(found, outcome, "1064")
    assert ("ulimit -n 1064" in found.line) is (outcome is Outcome.WARNING)


TAKEN = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
CHECKS = {"risk_table": {"status": "UP", "detail": "release 1"}, "redis": {"status": "DEGRADED", "detail": "gone"}}


class TestPort:
    def found(self, refusal: OSError | None = None, status: str | None = None) -> Finding:
        health = None if status is None else {"status": status, "checks": CHECKS}
        [found] = port_findings(Port("127.0.0.1", 5000, refusal, health), None)
        return found

    def test_a_free_one_is_well(self) -> None:
        assert has(self.found(), Outcome.OK, "127.0.0.1:5000 is free")

    @pytest.mark.parametrize(
        ("status", "outcome"), [("UP", Outcome.OK), ("DEGRADED", Outcome.WARNING), ("DOWN", Outcome.FAILED)]
    )
    def test_one_on_which_belref_answers_says_how_that_is(self, status: str, outcome: Outcome) -> None:
        assert has(self.found(TAKEN, status), outcome, f"already, and is {status}; redis: gone")

    def test_one_that_another_program_has_fails(self) -> None:
        assert has(self.found(TAKEN), Outcome.FAILED, "another program", "set PORT to a free port")

    def test_one_that_needs_a_right_fails(self) -> None:
        refusal = OSError(errno.EACCES, os.strerror(errno.EACCES))
        assert has(self.found(refusal), Outcome.FAILED, "may not be used by this user", "1024 or more")

    def test_an_address_of_another_machine_fails(self) -> None:
        refusal = OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        assert has(self.found(refusal), Outcome.FAILED, "Set HOST to an address of this machine")

    def test_the_port_of_metrics_is_taken_while_belref_runs_and_fails_otherwise(self) -> None:
        metrics = Port("127.0.0.1", 9000, TAKEN)
        running = Port("127.0.0.1", 5000, TAKEN, {"status": "UP", "checks": {}})
        assert has(port_findings(running, metrics)[1], Outcome.OK, "as belref runs")
        assert has(port_findings(Port("127.0.0.1", 5000), metrics)[1], Outcome.FAILED, "set METRICS_PORT")


class TestFolder:
    def test_one_that_is_there_and_writable_is_well_and_as_empty_as_before(self, tmp_path: Path) -> None:
        assert has(folder_finding(look_at_folder(tmp_path)), Outcome.OK, str(tmp_path), "GiB free")
        assert list(tmp_path.iterdir()) == []

    def test_one_that_is_missing_is_made_later_and_not_by_the_doctor(self, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b"
        assert has(folder_finding(look_at_folder(path)), Outcome.OK, "made by the first start or load")
        assert list(tmp_path.iterdir()) == []

    def test_one_that_cannot_be_written_fails(self) -> None:
        folder = Folder(Path("data"), there=True, refusal="Read-only file system")
        assert has(folder_finding(folder), Outcome.FAILED, "data cannot be written: Read-only file system")

    def test_one_that_cannot_be_made_fails(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        found = folder_finding(look_at_folder(tmp_path / "file" / "data"))
        assert has(found, Outcome.FAILED, "is not there, and cannot be made")

    def test_a_full_disk_is_a_warning(self) -> None:
        assert has(folder_finding(Folder(Path("data"), there=True, free=LITTLE - 1)), Outcome.WARNING, "Make room")

    @pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
    def test_a_network_file_system_is_a_warning(self, kind: str) -> None:
        folder = Folder(Path("data"), there=True, free=2**40, file_system=kind)
        assert has(folder_finding(folder), Outcome.WARNING, kind, "DB_DSN")

    def test_a_writer_at_work_is_named(self) -> None:
        folder = Folder(Path("data"), there=True, free=2**40, writer=4711)
        assert has(folder_finding(folder), Outcome.OK, "process 4711 is writing")

    def test_the_deepest_and_latest_mount_tells_the_file_system(self, tmp_path: Path) -> None:
        mounts = tmp_path / "mountinfo"
        mounts.write_text(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
            "2 1 0:30 / /srv\\040data rw,relatime shared:1 - xfs /dev/sdb rw\n"
            "3 2 0:31 / /srv\\040data rw master:2 - nfs4 server:/data rw\n"
        )
        assert _file_system(Path("/srv data/belref"), mounts) == "nfs4"
        assert _file_system(Path("/srv"), mounts) == "ext4"
        assert _file_system(Path("/srv"), tmp_path / "none") is None

    def test_the_holder_of_the_lock_is_read_and_not_tried(self, tmp_path: Path) -> None:
        lock, locks = tmp_path / "lock", tmp_path / "locks"
        lock.touch()
        found = lock.stat()
        place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        locks.write_text(
            f"1: POSIX  ADVISORY  WRITE 1 {place} 0 EOF\n"
            "2: FLOCK  ADVISORY  WRITE 2 00:00:1 0 EOF\n"
            f"3: FLOCK  ADVISORY  WRITE 3 {place} 0 EOF\n"
            f"3: -> FLOCK  ADVISORY  WRITE 4 {place} 0 EOF\n"
        )
        assert _writer(lock, locks) == 3
        assert _writer(tmp_path / "none", locks) is None
