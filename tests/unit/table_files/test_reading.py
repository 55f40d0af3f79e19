"""Files of every kind: recognised by what is in them, bounded, and hashed."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.risk_files import reading as risk_files
from adapters.risk_files.reading import draft_from, read_draft
from adapters.risk_files.text import write_csv, write_json
from domain.risk.tables import InvalidRiskTable, RiskFactor, RiskTable

ONE = '{"first":1000,"last":1310,"risk_factor":"C"}'
TABLES = st.dictionaries(st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=60).map(
    RiskTable.from_factors
)


def _faults(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        draft_from(BytesIO(content), label="any")
    return [(fault.line, fault.reason) for fault in caught.value.faults]


class TestDraft:
    def test_has_the_table_the_name_and_the_digest_of_the_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "factors 2026.csv"
        path.write_bytes(b"\xef\xbb\xbf1000,A\r\n")
        draft = read_draft(path)
        assert draft.table == RiskTable.from_factors({1000: RiskFactor.A})
        assert (draft.label, draft.source_sha256) == (path.name, sha256(path.read_bytes()).hexdigest())
        assert read_draft(path, label="mine").label == "mine"

    def test_is_hashed_whole_whatever_the_kind(self) -> None:
        table = RiskTable.from_factors({1000: RiskFactor.A, 2000: RiskFactor.B})
        padding = " " * 3_000_000
        for content in (write_csv(table).encode() + b"\n" * 900_000, (write_json(table) + padding).encode()):
            draft = draft_from(BytesIO(content), label="any")
            assert (draft.table, draft.source_sha256) == (table, sha256(content).hexdigest())

    def test_tells_how_far_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        path.write_bytes(b"1000,A\n" + (b" " * 999 + b"\n") * 3_000)
        told: list[tuple[int, int]] = []
        read_draft(path, progress=lambda done, total: told.append((done, total)))
        size = path.stat().st_size
        assert len(told) == 3
        assert told == sorted(told)
        assert told[-1] == (size, size)
        assert {total for _, total in told} == {size}


class TestRefusals:
    @pytest.mark.parametrize(("name", "reason"), [("missing.csv", "No such file or directory"), ("", "Is a directory")])
    def test_a_file_that_cannot_be_read(self, name: str, reason: str, tmp_path: Path) -> None:
        with pytest.raises(InvalidRiskTable, match=f"cannot be read: {reason}"):
            read_draft(tmp_path / name)

    def test_a_file_that_is_too_large_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024 + 1)
        told: list[int] = []
        with pytest.raises(InvalidRiskTable, match="larger than 100 MiB"):
            read_draft(path, progress=lambda *numbers: told.extend(numbers))
        assert told == []

    def test_a_file_without_a_known_size_is_read_no_further(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(risk_files, "MAX_BYTES", 3 * 1024 * 1024)
        file = BytesIO((b" " * 1023 + b"\n") * 10_000)
        with pytest.raises(InvalidRiskTable, match="larger than 3 MiB"):
            draft_from(file, label="any")
        assert file.tell() == 4 * 1024 * 1024

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "(.xls) or with a password"),
            (b"%PDF-1.7\n", "a PDF"),
            (b"\x1f\x8b\x08\x00", "compressed (gzip)"),
            (b"BZh91AY", "compressed (bzip2)"),
            (b"\xfd7zXZ\x00", "compressed (xz)"),
            (b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
            (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
            (b"Rar!\x1a\x07", "an archive (rar)"),
            (b"\xef\xbb\xbf\n<html><table>", "XML or a web page"),
        ],
    )
    def test_another_kind_of_file_is_named(self, content: bytes, kind: str) -> None:
        [(line, reason)] = _faults(content)
        assert line == 0
        assert reason.startswith("the file is ")
        assert kind in reason


class TestJson:
    @given(TABLES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    def test_a_table_that_is_written_and_read_is_the_same_table(self, table: RiskTable, encoding: str) -> None:
        again = draft_from(BytesIO(write_json(table).encode(encoding)), label="any").table
        assert (again, again.ranges) == (table, table.ranges)

    def test_has_one_range_on_each_line(self) -> None:
        table = draft_from(BytesIO(b"1000 - 1310,C\n1315,B\n"), label="any").table
        assert write_json(table) == f'{{"ranges":[\n{ONE},\n{{"first":1315,"last":1315,"risk_factor":"B"}}\n]}}\n'

    @pytest.mark.parametrize(
        ("text", "faults"),
        [
            ('{"ranges":[]}', [(1, "there is no range in it")]),
            ("[]", [(1, 'the JSON does not begin with {"ranges": [')]),
            ('{"label":"x","ranges":[]}', [(1, 'the JSON does not begin with {"ranges": [')]),
            (f'{{"ranges":[\n{ONE},\n1]}}', [(3, "the range is not an object of first, last, risk_factor, each once")]),
            (f'{{"ranges":[{ONE}', [(1, 'after range 1 comes neither "," nor the end "]}"')]),
            (f'{{"ranges":[{ONE}],"ranges":[]}}', [(1, 'after range 1 comes neither "," nor the end "]}"')]),
            (f'{{"ranges":[{ONE},\n]}}', [(2, "the JSON breaks off at range 2")]),
            ('{"ranges":[' + "[" * 100_000, [(1, "the JSON breaks off at range 1")]),
            (
                '{"ranges":[{"first":1000,"first":1001,"last":1002,"risk_factor":"A"}]}',
                [(1, "the range is not an object of first, last, risk_factor, each once")],
            ),
            (
                '{"ranges":[{"first":true,"last":1002,"risk_factor":"A"}]}',
                [(1, "a bound or the factor is neither a number nor a text")],
            ),
            (
                '{"ranges":[\n{"first":1000.0,"last":1e3,"risk_factor":"A"},\n{"first":1,"last":2000,"risk_factor":3}]}',
                [
                    (2, "'1000.0' is not a zipcode"),
                    (2, "'1e3' is not a zipcode"),
                    (3, "'3' is not a risk factor (A, B or C)"),
                    (3, "1 lies outside 1000 to 9999"),
                ],
            ),
        ],
    )
    def test_what_is_wrong_is_said_of_its_line(self, text: str, faults: list[tuple[int, str]]) -> None:
        assert _faults(text.encode()) == faults

    def test_bounds_may_be_texts(self) -> None:
        text = '{"ranges":[{"first":"1000","last":"1310","risk_factor":"C"}]}'
        assert write_csv(draft_from(BytesIO(text.encode()), label="any").table).endswith("\n1000,1310,C\n")

    def test_another_encoding_and_too_much_of_it_are_refused(self) -> None:
        assert _faults(b'{"ranges":[\xe9') == [(0, "it is not UTF-8 text")]
        assert _faults(b"{" + b" " * 16 * 1024 * 1024) == [(0, "the JSON is larger than 16 MiB")]
