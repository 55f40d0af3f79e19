"""Files of a folder that another user or a mistake may have filled with something else: regular ones of our own alone.

A link would lead elsewhere, and a pipe would be waited for: neither is opened.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain.errors import StorageUnavailable

_MODE = 0o644
# Windows has neither, nor links that anyone may make.
_AS_IT_IS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)

Stamp = tuple[int, int, int]
"""What a file looks like from outside: size, time of its last change, and which file it is."""


def look(*folders: Path) -> None:
    """Whether these may be relied on, as far as they are there; the first one may be a link, those in it may not.

    :raises StorageUnavailable: for one that belongs to somebody else, who could put anything there, or that is a link
    """
    for folder in folders:
        name = "the folder" if folder is folders[0] else f"{folder.name}/"
        with translated(f"{name} cannot be found"):
            try:
                found = os.stat(folder, follow_symlinks=folder is folders[0])  # noqa: PTH116 - as the calls below
            except FileNotFoundError:
                return
        if not stat.S_ISDIR(found.st_mode):
            raise StorageUnavailable(f"{name} is no folder: Not a directory")
        if hasattr(os, "geteuid") and found.st_uid not in {os.geteuid(), 0}:
            raise StorageUnavailable(
                f"{name} belongs to the user {found.st_uid}, who could put anything there: "
                f"make it belong to the user of the service, {os.geteuid()}"
            )


def stamp_of(path: Path) -> Stamp | None:
    """What is there looks like this; None where there is nothing."""
    try:
        return _stamp(os.stat(path, follow_symlinks=False))  # noqa: PTH116 - as the calls below
    except FileNotFoundError:
        return None


def opened(path: Path, flags: int) -> int:
    """Open a regular file, and nothing else, without waiting.

    :raises OSError: for what the system refuses, and for a link, a pipe or a device
    """
    if path.is_symlink():
        raise OSError(0, "it is a link")
    file = os.open(path, flags | _AS_IT_IS, _MODE)  # which refuses a link that was put there meanwhile
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(0, "it is no regular file")
    return file


def read(path: Path, limit: int, name: str) -> tuple[Stamp, bytes] | None:
    """What a file looks like, and its bytes; those that are added meanwhile belong to another look at it.

    None where there is no file.
    """
    try:
        file = opened(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as content:
        stamp = _stamp(os.fstat(file))
        if stamp[0] > limit:
            raise StorageUnavailable(f"{name} is larger than {limit // 2**20 or 1} MiB")
        return stamp, content.read(stamp[0])


def replace(path: Path, content: bytes) -> None:
    """Put a file there, whole or not at all.

    Under one name until it is whole, so that those who were stopped leave no more than one such file behind.
    """
    unfinished = path.with_name("unfinished")
    with suppress(FileNotFoundError):
        os.unlink(unfinished)  # noqa: PTH108 - as the other calls of its kind
    file = opened(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    os.replace(unfinished, path)  # noqa: PTH105 - as the other calls of its kind
    sync(path.parent)


def write(file: int, content: bytes) -> None:
    """Write all of it."""
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def sync(folder: Path) -> None:
    """Let the names in a folder last."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever the system refuses is `StorageUnavailable`."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"{what}: {error.strerror or type(error).__name__}") from error


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_size, found.st_mtime_ns, found.st_ino
