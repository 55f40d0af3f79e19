"""Risk tables as files of every kind that is read, recognised by what is in them and not by their names."""

import codecs
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Protocol

from adapters.risk_files.text import MAX_JSON_BYTES, read_json, read_text
from adapters.risk_files.workbook import read_workbook
from domain.risk.releases import Draft
from domain.risk.tables import Fault, InvalidRiskTable, RiskRow, RiskTable

MAX_BYTES = 100 * 1024 * 1024

Progress = Callable[[int, int], None]
"""Called with the bytes that were read, and all there are (0 when nobody knows)."""

Checked = Callable[[int], None]
"""Called now and then with how many rows were checked: that takes longer than reading them."""

_ROWS_AT_A_TIME = 10_000

_BLOCK = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "a workbook of the old kind (.xls) or with a password: save it as .xlsx, without a password"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"BZh", "compressed (bzip2): unpack it first"),
    (b"\xfd7zXZ", "compressed (xz): unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd): unpack it first"),
    (b"7z\xbc\xaf", "an archive (7z): unpack it first"),
    (b"Rar!", "an archive (rar): unpack it first"),
    (b"<", "XML or a web page, whatever its name says: save it as .xlsx or CSV"),
)


class Readable(Protocol):
    """An open file of bytes."""

    def read(self, size: int, /) -> bytes: ...


def read_draft(
    path: Path, *, label: str | None = None, progress: Progress | None = None, checked: Checked | None = None
) -> Draft:
    """Read and check a whole file; `label` is its name, unless another is given.

    :raises InvalidRiskTable: with every fault and its line, or with one where the reading was given up
    """
    try:
        with path.open("rb") as file:
            total = path.stat().st_size
            return draft_from(file, label=label or path.name, total=total, progress=progress, checked=checked)
    except OSError as error:
        raise _refusal(f"it cannot be read: {error.strerror or type(error).__name__}") from error


def draft_from(
    file: Readable, *, label: str, total: int = 0, progress: Progress | None = None, checked: Checked | None = None
) -> Draft:
    """Read and check what an open file has left; `total` is for `progress`, and to refuse early.

    :raises InvalidRiskTable: as `read_draft`
    :raises OSError: when it cannot be read
    """
    digest = sha256()
    blocks = _blocks(file, total, progress or (lambda _done, _total: None), digest.update)
    rows = _parsed(blocks)
    table = RiskTable.from_rows(rows if checked is None else _counted(rows, checked))
    return Draft(table, label, digest.hexdigest())


def _counted(rows: Iterable[RiskRow | Fault], checked: Checked) -> Iterator[RiskRow | Fault]:
    for number, row in enumerate(rows, start=1):
        if number % _ROWS_AT_A_TIME == 0:
            checked(number)
        yield row


def _refusal(reason: str) -> InvalidRiskTable:
    """The refusal of a file as a whole."""
    return InvalidRiskTable([Fault(0, reason)])


def _blocks(file: Readable, total: int, progress: Progress, digest: Callable[[bytes], object]) -> Iterator[bytes]:
    done = 0
    if total <= MAX_BYTES:
        while block := file.read(_BLOCK):
            done += len(block)
            if done > MAX_BYTES:
                break
            digest(block)
            progress(done, total)
            yield block
        else:
            return
    raise _refusal(f"the file is larger than {MAX_BYTES // 2**20} MiB")


def _parsed(blocks: Iterator[bytes]) -> Iterator[RiskRow | Fault]:
    head = next(blocks, b"")
    every = chain((head,), blocks) if head else blocks
    if head.startswith(b"PK"):
        return read_workbook(b"".join(every))
    encoding = "utf-16" if head.startswith(_UTF_16) else "utf-8-sig"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, kind in _REFUSED:
        if start.startswith(magic):
            raise _refusal(f"the file is {kind}")
    if head[:256].decode(encoding, "ignore").lstrip().startswith(("{", "[")):
        return read_json(_text(every, encoding))
    return read_text(every, encoding)


def _text(blocks: Iterable[bytes], encoding: str) -> str:
    pieces: list[bytes] = []
    size = 0
    for block in blocks:
        size += len(block)
        if size > MAX_JSON_BYTES:
            raise _refusal(f"the JSON is larger than {MAX_JSON_BYTES // 2**20} MiB")
        pieces.append(block)
    try:
        return b"".join(pieces).decode(encoding)
    except UnicodeDecodeError as error:
        raise _refusal(f"it is not {encoding.removesuffix('-sig').upper()} text") from error
