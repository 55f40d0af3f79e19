"""The table of the open data as other programs leave it: what says nothing is not minded, what was cut short is."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.health_index_provider import PUBLISHED
from tests.worlds.statbel_files import HEADER, archive, archive_of, row, table

from adapters.statbel.archive import unpack
from adapters.statbel.formats import parse_table
from domain.errors import Rejection, SourceRejected

ROWS = [row(figure) for figure in PUBLISHED]
BLANK = st.sampled_from(["", " ", "\t", "   ", "\r"])
README = b"Consumer price index and health index, all base years\n"


def refusal(content: bytes) -> SourceRejected:
    with pytest.raises(SourceRejected) as caught:
        parse_table(content, "test")
    return caught.value


class TestBlanks:
    def test_an_empty_last_line_says_nothing(self) -> None:
        assert parse_table(table(PUBLISHED) + b"\n", "test") == list(PUBLISHED)

    @given(st.data())
    def test_blank_lines_and_blanks_at_the_end_of_lines_change_nothing(self, data: st.DataObject) -> None:
        lines: list[str] = []
        for line in (HEADER, *ROWS):
            lines += data.draw(st.lists(BLANK, max_size=2))
            lines.append(line + data.draw(BLANK))
        lines += data.draw(st.lists(BLANK, max_size=3))
        end = data.draw(st.sampled_from(["\n", "\r\n"]))
        last = data.draw(st.sampled_from(["", end]))
        content = (end.join(lines) + last).encode(data.draw(st.sampled_from(["utf-8", "utf-8-sig"])))
        assert parse_table(content, "test") == list(PUBLISHED)

    @given(st.integers(1, len(ROWS[-1]) - 1))
    def test_a_record_that_is_cut_short_is_refused(self, cut: int) -> None:
        content = table(PUBLISHED).rstrip(b"\n")
        assert refusal(content[:-cut]).rejection is Rejection.MALFORMED_RECORD

    def test_a_fault_has_the_number_of_the_line_blank_ones_included(self) -> None:
        content = "\n".join(("", HEADER, "", ROWS[0], " ", "2026|7|100.00")).encode()
        assert refusal(content).detail == f"line 6 has 3 fields, not {HEADER.count('|') + 1}"

    def test_nothing_but_blanks_is_no_table(self) -> None:
        assert refusal(b"\n \r\n").rejection is Rejection.MISSING_COLUMN


class TestCompany:
    @pytest.mark.parametrize(
        "others",
        [
            {"__MACOSX/._CPI All base years.txt": b"\0\5\x16\7"},
            {"__MACOSX/": b""},
            {"readme.txt": README},
            {"README": README, "LEESMIJ.txt": b"", "LISEZMOI.TXT": README, ".DS_Store": b"\0"},
        ],
    )
    def test_files_beside_the_one_with_the_header_are_left_alone(self, others: dict[str, bytes]) -> None:
        text = table(PUBLISHED)
        for members in ({**others, "CPI.txt": text}, {"CPI.txt": text, **others}):
            assert unpack(archive_of(members), "test") == text

    def test_the_header_is_found_behind_blank_lines(self) -> None:
        text = b"\n\n" + table(PUBLISHED).removeprefix(codecs.BOM_UTF8)
        assert unpack(archive_of({"readme.txt": README, "CPI.txt": text}), "test") == text

    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"one.txt": README, "two.txt": b""}, "there are 2 text files in it, 0 with the header of the table"),
            ({"__MACOSX/._CPI.txt": b""}, "there are 0 text files in it"),
            ({f"{number}.txt": b"" for number in range(9)}, "there are 9 text files in it"),
        ],
    )
    def test_without_exactly_one_such_file_it_is_refused(self, members: dict[str, bytes], reason: str) -> None:
        with pytest.raises(SourceRejected) as caught:
            unpack(archive_of(members), "test")
        assert caught.value.rejection is Rejection.WRONG_MEMBER
        assert caught.value.detail == reason

    def test_two_tables_are_not_chosen_from(self) -> None:
        with pytest.raises(SourceRejected, match="2 with the header of the table"):
            unpack(archive(table(PUBLISHED), "one.txt", "two.txt"), "test")
