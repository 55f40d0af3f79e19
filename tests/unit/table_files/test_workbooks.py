"""Risk tables as Excel workbooks, and workbooks that mean harm. The archives are made here, part by part."""

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.risk_files import workbook_parts
from adapters.risk_files.reading import draft_from
from domain.risk.tables import InvalidRiskTable, RiskFactor, RiskTable

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

TABLES = st.dictionaries(st.integers(1000, 9999), st.sampled_from(RiskFactor), min_size=1, max_size=60).map(
    RiskTable.from_factors
)
Cells = Sequence[Sequence[str | int | None]]


def sheet(rows: Cells, *, top: int = 1, left: str = "A", inline: bool = True, fraction: str = "") -> str:
    """The rows of a sheet; texts inline, or as places in `SHARED`."""
    written = []
    for number, row in enumerate(rows, start=top):
        cells = []
        for offset, value in enumerate(row):
            place = f'r="{chr(ord(left) + offset)}{number}"'
            if value is None:
                cells.append(f"<c {place}/>")
            elif isinstance(value, int):
                cells.append(f"<c {place}><v>{value}{fraction}</v></c>")
            elif inline or value not in SHARED:
                cells.append(f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>')
            else:
                cells.append(f'<c {place} t="s"><v>{SHARED.index(value)}</v></c>')
        written.append(f'<row r="{number}">{"".join(cells)}</row>')
    return "".join(written)


SHARED = ["A", "B", "C", "first", "last", "risk_factor"]


def workbook(*sheets: str, parts: Mapping[str, str | bytes] | None = None, states: Sequence[str] = ()) -> bytes:
    """A workbook of sheets, by the XML of their rows."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name={quoteattr(f"Sheet {n}")} sheetId="{n}" r:id="rId{n}"'
        + (f' state="{states[n - 1]}"/>' if states else "/>")
        for n in numbers
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    content = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{"".join(f"<si><t>{each}</t></si>" for each in SHARED)}</sst>',
        **{
            f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            for n, rows in zip(numbers, sheets, strict=True)
        },
        **(parts or {}),
    }
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return made.getvalue()


GOOD = sheet([[1000, "A"]])


def _read(content: bytes) -> RiskTable:
    return draft_from(BytesIO(content), label="any").table


def _faults(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        _read(content)
    return [(fault.line, fault.reason) for fault in caught.value.faults]


class TestSheets:
    @given(st.data(), TABLES)
    def test_a_table_is_the_same_in_every_spelling(self, data: st.DataObject, table: RiskTable) -> None:
        rows: Cells
        if data.draw(st.booleans()):
            rows = [["first", "last", "risk_factor"], *([r.first, r.last, r.factor.value] for r in table.ranges)]
        else:
            rows = [[r.first if r.first == r.last else str(r), r.factor.value] for r in table.ranges]
        rows = [row for each in rows for row in ([each, [None]] if data.draw(st.booleans()) else [each])]
        top, left = data.draw(st.integers(1, 50)), data.draw(st.sampled_from("ABX"))
        inline, fraction = data.draw(st.booleans()), data.draw(st.sampled_from(["", ".0", ".000"]))
        cells = sheet(rows, top=top, left=left, inline=inline, fraction=fraction)
        sheets = data.draw(st.permutations([cells, "", sheet([[None, None]])]))
        assert _read(workbook(*sheets)) == table

    def test_a_fault_has_the_row_of_the_sheet(self) -> None:
        cells = sheet([["Zipcode", "Risk factor"], [1000, "A"], [None], ["1001\N{EN DASH}1000", "B"]], top=3)
        assert _faults(workbook(cells)) == [(6, "the range is reversed: 1001 comes after 1000")]

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [
            ("<c><v>1000.5</v></c>", "'1000.5'"),
            ("<c><v>NaN</v></c>", "'nan'"),
            ("<c><v>1e300</v></c>", "'1000000000000000052504760255204"),
            ('<c t="b"><v>1</v></c>', "'True'"),
            ('<c t="d"><v>2026-01-31</v></c>', "'2026-01-31'"),
            ('<c t="str"><f>A1</f><v>1000.0</v></c>', "'1000.0'"),
        ],
    )
    def test_what_is_no_whole_number_is_a_fault(self, cell: str, shown: str) -> None:
        [(line, reason)] = _faults(workbook(GOOD + f'<row>{cell}<c t="s"><v>0</v></c></row>'))
        assert line == 2
        assert shown in reason

    def test_several_sheets_with_something_in_them_are_not_chosen_from(self) -> None:
        content = workbook("", GOOD, GOOD, states=["visible", "visible", "hidden"])
        reason = "more than one sheet has something in it: 'Sheet 2' and 'Sheet 3' (hidden); leave one"
        assert _faults(content) == [(1, reason)]

    def test_an_error_in_a_cell_is_no_empty_cell(self) -> None:
        rows = '<row r="1"><c r="A1"><v>1000</v></c></row><row r="2"><c r="B2" t="e"><v>#N/A</v></c></row>'
        assert _faults(workbook(rows)) == [(2, "cell B2 holds an error such as #N/A")]

    def test_nothing_in_it_is_a_fault(self) -> None:
        assert _faults(workbook("")) == [(1, "there is no range in it")]
        assert _faults(workbook(*[""] * 33)) == [(1, "the workbook has more than 32 sheets")]


class TestHarm:
    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            (
                '<row r="1"><c r="A1"><v>1</v></c></row><row r="9000"><c r="IV9000"><v>1</v></c></row>',
                "lie too far apart",
            ),
            ('<row r="1048576"><c r="A1048576"><v>1000</v></c></row>', "there are more than 1,000,000 rows"),
            ('<row r="1"><c r="AAAAAAAAAA1"><v>1</v></c></row>', "the workbook is damaged"),
            ('<row r="99999999999"><c><v>1</v></c></row>', "the workbook is damaged"),
            ('<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>', "the workbook is damaged"),
            ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "the workbook is damaged"),
            ('<row r="1"><c r="A2"><v>1</v></c></row>', "the workbook is damaged"),
            ("</sheetData><sheetData>" + GOOD, "the workbook is damaged"),
            ("<row>", "the workbook is damaged"),
            ("1" * (64 * 2**20), "the workbook unpacks to more than 64 MiB"),
        ],
    )
    def test_a_sheet_that_would_take_all_memory_is_refused(self, cells: str, reason: str) -> None:
        assert reason in _faults(workbook(cells))[0][1]

    @pytest.mark.parametrize(
        ("parts", "reason"),
        [
            ({"xl/sharedStrings.xml": '<sst uniqueCount="99999999999"/>'}, "the workbook is damaged"),
            ({"xl/sharedStrings.xml": f"<sst><si><t>{'x' * 10_001}</t></si></sst>"}, "longer than 10,000 characters"),
            ({"xl/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "defines XML of its own"),
            ({"xl/styles.xml": '<?xml version="1.0" encoding="UTF-16"?><a/>'}, "is not written in UTF-8"),
            ({"xl/styles.xml": "<a/>".encode("utf-16")}, "the workbook is damaged"),
            ({"XL\\Workbook.xml": "<a/>"}, "the workbook is damaged"),
            ({f"x/{n}": "" for n in range(1_000)}, "the workbook is damaged"),
            (
                {"xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets><sheet name="x"/></sheets></workbook>'},
                "is damaged",
            ),
        ],
    )
    def test_a_part_that_misleads_is_refused(self, parts: dict[str, str | bytes], reason: str) -> None:
        assert reason in _faults(workbook(GOOD, parts=parts))[0][1]

    def test_very_many_empty_cells_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbook_parts, "_MAX_ELEMENTS", 1_000)
        assert _faults(workbook(f"<row/><row>{'<c/>' * 1_000}</row>")) == [(2, "the workbook has too many cells")]

    def test_a_long_text_in_very_many_cells_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbook_parts, "_MAX_COPIED", 1_000_000)
        cells = "<row>" + '<c t="s"><v>0</v></c>' * 101 + "</row>"
        parts = {"xl/sharedStrings.xml": f"<sst><si><r><t>{'x' * 5_000}</t></r><r><t>{'y' * 5_000}</t></r></si></sst>"}
        assert _faults(workbook(cells, parts=parts)) == [
            (1, "the texts of the workbook are too long for so many cells")
        ]

    def test_what_the_archive_declares_is_not_believed(self) -> None:
        content = workbook("1" * (65 * 2**20))
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
        assert content.count(size) == 2
        [(_, reason)] = _faults(content.replace(size, (1_000).to_bytes(4, "little")))
        assert reason == "the workbook is damaged"

    def test_parts_that_are_not_read_may_be_anything(self) -> None:
        assert _read(workbook(GOOD, parts={"xl/media/image1.png": b"\0" * 70_000_000, "docProps/app.xml": "<"})).ranges

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("content.xml", "an OpenDocument file (.ods)"),
            ("xl/workbook.bin", "a binary workbook (.xlsb)"),
            ("word/document.xml", "a Word document"),
            ("table.csv", "an archive"),
        ],
    )
    def test_another_archive_is_named(self, name: str, kind: str) -> None:
        made = BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(name, "1000,A\n")
        assert _faults(made.getvalue()) == [(1, f"the file is {kind}, not a workbook (.xlsx)")]

    @pytest.mark.parametrize("flag", [0x01, 0x40])
    def test_an_encrypted_part_is_refused(self, flag: int) -> None:
        made = BytesIO(workbook(GOOD))
        with zipfile.ZipFile(made, "a") as archive:
            archive.getinfo("xl/workbook.xml").flag_bits |= flag
            archive.writestr("docProps/app.xml", "<a/>")  # so that the directory is written anew
        assert _faults(made.getvalue()) == [(1, "the workbook is encrypted, or packed in an unusual way")]

    @given(st.integers(0, 10_000), st.binary(max_size=8))
    def test_a_damaged_workbook_is_a_table_or_a_list_of_faults(self, at: int, instead: bytes) -> None:
        content = workbook(GOOD)
        at %= len(content)
        with suppress(InvalidRiskTable):
            assert _read(content[:at] + instead + content[at + len(instead) :]).ranges

    def test_half_a_workbook_is_damaged(self) -> None:
        content = workbook(GOOD)
        assert _faults(content[: len(content) // 2]) == [(1, "the workbook is damaged")]
