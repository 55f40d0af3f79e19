"""The folder of `DATA_DIR`: whether releases can be kept there. Nothing is left in it, and no lock is taken."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from entrypoints.doctor.findings import Finding, failed, ok, warning

LITTLE = 200 * 2**20
"""Bytes: the log takes up to 64 MiB, and a table 0.15 MB."""

_NETWORK = re.compile(r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|glusterfs|gpfs|fuse\.(sshfs|s3fs|glusterfs|ceph.*)")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder looks like; while it is missing, the rest is that of the folder above it that is there."""

    path: Path
    there: bool
    refusal: str | None = None
    """Why nothing can be written."""
    free: int = 0
    """Bytes."""
    file_system: str | None = None
    """Its kind, where it can be told."""
    writer: int | None = None
    """The process that holds the lock of writers."""


def folder_finding(folder: Folder) -> Finding:
    """Whether releases can be kept there."""
    name, where = "data_dir", str(folder.path)
    if folder.refusal is not None:
        advice = "let the folder belong to the user of the service, and be writable"
        detail = "cannot be written" if folder.there else "is not there, and cannot be made"
        return failed(name, f"{where} {detail}: {folder.refusal}", advice)
    state = f"{where}, {folder.free / 2**30:.1f} GiB free"
    if folder.file_system:
        state += f", {folder.file_system}"
    if folder.writer is not None:
        state += f"; process {folder.writer} is writing"
    if folder.free < LITTLE:
        advice = "make room: what cannot be written is refused, and what is there goes on being answered"
        return warning(name, f"{state}: less than {LITTLE // 2**20} MiB", advice)
    if folder.file_system and _NETWORK.fullmatch(folder.file_system):
        advice = "use a disk of this machine, or Postgres (DB_DSN) where several machines share the releases"
        return warning(name, f"{state}: locks of a network file system may not hold between machines", advice)
    if not folder.there:
        return ok(name, f"{state}; it is made by the first start or load")
    return ok(name, state)


def look_at_folder(path: Path) -> Folder:
    """Look, and write one empty file that is removed at once; this blocks for as long as the disk does."""
    nearest = next((each for each in (path, *path.absolute().parents) if each.exists()), Path("/"))
    there = nearest == path
    if there:
        refusal = _refusal(path)
    else:
        refusal = None if nearest.is_dir() and os.access(nearest, os.W_OK) else f"{nearest} is not writable"
    return Folder(
        path,
        there,
        refusal,
        shutil.disk_usage(nearest).free,
        _file_system(nearest.resolve()),
        _writer(path / "lock"),
    )


def _refusal(folder: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".belref-doctor-"):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The kind of the file system in which a folder lies, where the system tells (Linux)."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    found: tuple[int, str | None] = (0, None)
    for line in lines:
        here, _, there = line.partition(" - ")
        point = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), here.split()[4]))
        if folder.is_relative_to(point) and len(point.parts) >= found[0]:  # a later mount hides an earlier one
            found = len(point.parts), there.split()[0]
    return found[1]


def _writer(lock: Path, locks: Path = Path("/proc/locks")) -> int | None:
    """The process that holds a lock, as the system tells it (Linux): trying to take it could make a writer wait."""
    try:
        found, lines = lock.stat(), locks.read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for words in map(str.split, lines):
        if words[1] == "FLOCK" and words[5] == place:
            return int(words[4])
    return None
