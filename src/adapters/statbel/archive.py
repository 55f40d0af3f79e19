"""The archive around the table of the open data."""

import struct
import zipfile
import zlib
from functools import partial
from io import BytesIO

from adapters.statbel.formats import begins_table, describe
from domain.errors import Rejection, SourceRejected

LARGEST_TABLE = 8 * 2**20
"""The most that the archive may hold, in bytes; the genuine table had about 0.5 MB in 2020."""

_MOST_TEXTS = 8
_HEADER_BYTES = 4096
_OF_THE_FINDER = "__MACOSX/"

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x41  # the flags of old and of strong encryption

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile was seen to raise, or may raise by its own code, on bytes that are not quite an archive."""


def unpack(content: bytes, source: str) -> bytes:
    """The one text file of an archive; of several, the one that begins as the table does.

    What the Finder of a Mac adds (`__MACOSX/`) and files of other kinds are left alone.

    :raises SourceRejected: for what is no archive, is damaged, has a name that is a path, holds no such text file or
        several, or unpacks to more than `LARGEST_TABLE`
    """
    refuse = partial(SourceRejected, source)
    if not content.startswith(b"PK"):
        raise refuse(Rejection.NOT_DATA, f"{describe(content)}, not an archive")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            member = _text_member(archive, source)
            # Bounded whatever the archive declares; the checksum is compared where the member ends.
            with archive.open(member) as file:
                text = file.read(LARGEST_TABLE + 1)
    except _FAULTS as error:
        raise refuse(Rejection.DAMAGED_ARCHIVE, "it cannot be unpacked") from error
    if len(text) != member.file_size:
        raise refuse(Rejection.DAMAGED_ARCHIVE, f"{len(text)} bytes come out, {member.file_size} are declared")
    return text


def _text_member(archive: zipfile.ZipFile, source: str) -> zipfile.ZipInfo:
    refuse = partial(SourceRejected, source)
    members = [member for member in archive.infolist() if not member.orig_filename.startswith(_OF_THE_FINDER)]
    if any(mark in member.orig_filename for member in members for mark in ("/", "\\", ":", "\0")):
        raise refuse(Rejection.WRONG_MEMBER, "a member's name is a path")
    texts = [member for member in members if member.orig_filename.lower().endswith(".txt")]
    if not 1 <= len(texts) <= _MOST_TEXTS:
        raise refuse(Rejection.WRONG_MEMBER, f"there are {len(texts)} text files in it")
    for member in texts:
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise refuse(Rejection.WRONG_MEMBER, "the text file is encrypted or packed in an unusual way")
        if member.file_size > LARGEST_TABLE:
            raise refuse(Rejection.TOO_LARGE, f"it unpacks to {member.file_size} bytes")
    if len(texts) > 1:
        tables = [member for member in texts if _begins_table(archive, member)]
        if len(tables) != 1:
            counted = f"there are {len(texts)} text files in it, {len(tables)} with the header of the table"
            raise refuse(Rejection.WRONG_MEMBER, counted)
        texts = tables
    return texts[0]


def _begins_table(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as file:
        return begins_table(file.read(_HEADER_BYTES))
