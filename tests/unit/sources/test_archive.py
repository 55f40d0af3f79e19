"""The archive of the open data, the good one and the ones that must be refused."""

import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.contracts.health_index_provider import PUBLISHED
from tests.worlds.statbel_files import archive, table

from adapters.statbel.archive import LARGEST_TABLE, unpack
from domain.errors import Rejection, SourceRejected

TABLE = table(PUBLISHED)
ARCHIVE = archive(TABLE)
HTML = b"\n<!DOCTYPE html><html><title>Are you a human visitor?</title></html>"


def refusal(content: bytes) -> SourceRejected:
    with pytest.raises(SourceRejected) as caught:
        unpack(content, "test")
    assert caught.value.source == "test"
    assert len(str(caught.value)) < 300
    return caught.value


def with_sizes(content: bytes, declared: int) -> bytes:
    """The archive with another uncompressed size in both of its headers."""
    changed = bytearray(content)
    struct.pack_into("<I", changed, 22, declared)
    struct.pack_into("<I", changed, content.index(b"PK\x01\x02") + 24, declared)
    return bytes(changed)


def with_flags(content: bytes, flags: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into("<H", changed, 6, flags)
    struct.pack_into("<H", changed, content.index(b"PK\x01\x02") + 8, flags)
    return bytes(changed)


class TestUnpack:
    def test_gives_the_one_text_file(self) -> None:
        assert unpack(ARCHIVE, "test") == TABLE

    def test_does_not_depend_on_what_the_file_is_called(self) -> None:
        assert unpack(archive(TABLE, "cpi.TXT"), "test") == TABLE

    def test_leaves_files_of_other_kinds_alone(self) -> None:
        assert unpack(archive(TABLE, "readme.pdf", "table.txt"), "test") == TABLE

    @pytest.mark.parametrize(
        ("content", "said"),
        [(b"", "empty"), (HTML, "web page"), (b"\xef\xbb\xbf<html>", "web page"), (TABLE, "something else")],
    )
    def test_refuses_what_is_no_archive_and_says_what_it_is(self, content: bytes, said: str) -> None:
        error = refusal(content)
        assert error.rejection is Rejection.NOT_DATA
        assert said in error.detail

    def test_refuses_a_web_page_with_an_archive_behind_it(self) -> None:
        assert refusal(HTML + ARCHIVE).rejection is Rejection.NOT_DATA

    @pytest.mark.parametrize("length", [2, 4, 30, len(ARCHIVE) // 2, len(ARCHIVE) - 1])
    def test_refuses_a_truncated_archive(self, length: int) -> None:
        assert refusal(ARCHIVE[:length]).rejection is Rejection.DAMAGED_ARCHIVE

    def test_refuses_a_wrong_checksum(self) -> None:
        changed = bytearray(ARCHIVE)
        for start in (14, ARCHIVE.index(b"PK\x01\x02") + 16):
            changed[start] ^= 0xFF
        assert refusal(bytes(changed)).rejection is Rejection.DAMAGED_ARCHIVE

    @pytest.mark.parametrize(
        "names",
        [
            ("table.csv",),
            ("one.txt", "two.txt"),
            ("../table.txt",),
            ("/etc/table.txt",),
            ("folder/table.txt",),
            ("..\\table.txt",),
            ("C:table.txt",),
            ("table.txt", "../other.bin"),
        ],
    )
    def test_refuses_anything_but_one_text_file_with_a_plain_name(self, names: tuple[str, ...]) -> None:
        assert refusal(archive(TABLE, *names)).rejection is Rejection.WRONG_MEMBER

    def test_refuses_a_name_that_goes_on_behind_a_zero_byte(self) -> None:
        changed = archive(TABLE, "table.txt#.exe").replace(b"table.txt#", b"table.txt\0")
        assert refusal(changed).rejection is Rejection.WRONG_MEMBER

    def test_refuses_an_archive_without_members(self) -> None:
        buffer = BytesIO()
        zipfile.ZipFile(buffer, "w").close()
        assert refusal(buffer.getvalue()).rejection is Rejection.WRONG_MEMBER

    @pytest.mark.parametrize("flags", [0x1, 0x41])
    def test_refuses_an_encrypted_file(self, flags: int) -> None:
        assert refusal(with_flags(ARCHIVE, flags)).rejection is Rejection.WRONG_MEMBER

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_refuses_methods_that_statbel_does_not_use(self, method: int) -> None:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as file:
            file.writestr("table.txt", TABLE)
        assert refusal(buffer.getvalue()).rejection is Rejection.WRONG_MEMBER

    def test_takes_a_file_that_is_stored_as_it_is(self) -> None:
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
            file.writestr("table.txt", TABLE)
        assert unpack(buffer.getvalue(), "test") == TABLE


class TestBombs:
    BOMB = archive(bytes(LARGEST_TABLE + 1))

    def test_a_size_above_the_limit_is_refused(self) -> None:
        assert refusal(self.BOMB).rejection is Rejection.TOO_LARGE

    def test_the_limit_itself_is_accepted(self) -> None:
        assert len(unpack(archive(bytes(LARGEST_TABLE)), "test")) == LARGEST_TABLE

    def test_a_bomb_that_declares_a_small_size_is_refused(self) -> None:
        assert refusal(with_sizes(self.BOMB, 1000)).rejection is Rejection.DAMAGED_ARCHIVE

    def test_a_small_file_that_declares_a_large_size_is_refused(self) -> None:
        assert refusal(with_sizes(ARCHIVE, LARGEST_TABLE + 1)).rejection is Rejection.TOO_LARGE

    def test_a_file_that_is_shorter_than_it_declares_is_refused(self) -> None:
        assert refusal(with_sizes(ARCHIVE, len(TABLE) + 1)).rejection is Rejection.DAMAGED_ARCHIVE


class TestAnyBytes:
    @given(st.binary(max_size=2000))
    @example(b"PK")
    def test_are_refused(self, content: bytes) -> None:
        reasons = {Rejection.NOT_DATA, Rejection.DAMAGED_ARCHIVE, Rejection.WRONG_MEMBER}
        for start in (b"", b"PK\x03\x04", b"PK\x05\x06"):
            assert refusal(start + content).rejection in reasons

    @given(st.data())
    def test_a_damaged_archive_gives_the_same_text_or_none(self, data: st.DataObject) -> None:
        changed = bytearray(ARCHIVE)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        try:
            text = unpack(bytes(changed), "test")
        except SourceRejected:
            return
        assert text == TABLE

    @given(st.data())
    def test_headers_of_any_content_never_break_out(self, data: st.DataObject) -> None:
        # The headers decide what zipfile does, so they are hit more often than the data between them.
        changed = bytearray(ARCHIVE)
        central = ARCHIVE.index(b"PK\x01\x02")
        places = st.one_of(st.integers(0, 60), st.integers(central, len(ARCHIVE) - 1))
        for _ in range(data.draw(st.integers(1, 8))):
            changed[data.draw(places)] = data.draw(st.sampled_from([0, 1, 8, 0x40, 0x7F, 0x80, 0xFF]))
        try:
            text = unpack(bytes(changed), "test")
        except SourceRejected:
            return
        assert text == TABLE
