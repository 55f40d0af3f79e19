"""The archive around the table of the open data."""

import struct
import zipfile
import zlib
from functools import partial
from io import BytesIO

from adapters.statbel.formats import describe
from domain.errors import Rejection, SourceRejected

LARGEST_TABLE = 8 * 2**20
"""The most that the archive may hold, in bytes; the genuine table had about 0.5 MB in 2020."""

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
    """The one text file of an archive.

    :raises SourceRejected: for what is no archive, is damaged, holds anything but one text file with a plain name, or
        unpacks to more than `LARGEST_TABLE`
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
    members = archive.infolist()
    if any(mark in member.orig_filename for member in members for mark in ("/", "\\", ":", "\0")):
        raise refuse(Rejection.WRONG_MEMBER, "a member's name is a path")
    texts = [member for member in members if member.orig_filename.lower().endswith(".txt")]
    if len(texts) != 1:
        raise refuse(Rejection.WRONG_MEMBER, f"there are {len(texts)} text files in it")
    member = texts[0]
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise refuse(Rejection.WRONG_MEMBER, "the text file is encrypted or packed in an unusual way")
    if member.file_size > LARGEST_TABLE:
        raise refuse(Rejection.TOO_LARGE, f"it unpacks to {member.file_size} bytes")
    return member
