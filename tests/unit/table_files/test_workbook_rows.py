"""No row of a workbook vanishes: what the reader gives is what the XML holds, or a fault with the number of the row."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.table_files.test_workbooks import GOOD, SHARED, workbook

from adapters.risk_files import workbook_parts
from adapters.risk_files.reading import draft_from
from domain.risk.tables import InvalidRiskTable, RiskTable

UNSAVED = "holds a formula without a saved value: open the workbook in a spreadsheet program and save it there"
UNREAD = "the row holds something that cannot be read: type its cells anew, as plain numbers and texts"


def read(content: bytes) -> RiskTable:
    return draft_from(BytesIO(content), label="any").table


def faults(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(InvalidRiskTable) as caught:
        read(content)
    return [(fault.line, fault.reason) for fault in caught.value.faults]


def row(number: int, *cells: str) -> str:
    """A row of cells, each of which is XML with `PLACE` where its address goes."""
    placed = (each.replace("PLACE", f'r="{"ABC"[n]}{number}"') for n, each in enumerate(cells))
    return f'<row r="{number}">{"".join(placed)}</row>'


NUMBER = "<c PLACE><v>{}</v></c>"
FACTOR = '<c PLACE t="inlineStr"><is><t>B</t></is></c>'


class TestFormulas:
    @pytest.mark.parametrize("cell", ["<c PLACE><f>A1+1</f><v/></c>", "<c PLACE><f>A1+1</f></c>"])
    def test_rows_of_formulas_without_a_saved_value_are_faults(self, cell: str) -> None:
        assert faults(workbook(GOOD + row(2, cell, cell) + row(3, cell, cell))) == [
            (2, f"cell A2 {UNSAVED}"),
            (3, f"cell A3 {UNSAVED}"),
        ]

    def test_a_formula_without_a_saved_value_is_a_fault_in_a_row_that_reads_otherwise(self) -> None:
        # The row would read as 2000,B with an empty third field, which does not count.
        rows = GOOD + row(2, NUMBER.format(2000), FACTOR, "<c PLACE><f>A1</f></c>")
        assert faults(workbook(rows)) == [(2, f"cell C2 {UNSAVED}")]

    def test_a_formula_whose_saved_value_is_the_empty_text_is_an_empty_cell(self) -> None:
        empty = '<c PLACE t="str"><f>IF(Z1="","",Z1)</f><v></v></c>'
        assert read(workbook(GOOD + row(2, empty, empty))) == read(workbook(GOOD))

    def test_formulas_with_saved_values_are_read(self) -> None:
        saved = row(2, "<c PLACE><f>A1+1</f><v>1001</v></c>", '<c PLACE t="str"><f>B1</f><v>A</v></c>')
        assert [str(item) for item in read(workbook(GOOD + saved)).ranges] == ["1000", "1001"]

    def test_a_sheet_of_nothing_but_formulas_without_values_has_faults_and_is_not_empty(self) -> None:
        assert faults(workbook(row(1, "<c PLACE><f>A2</f></c>")))[0] == (1, f"cell A1 {UNSAVED}")


class TestRows:
    @pytest.mark.parametrize(
        "cells",
        [
            "<c>1001</c>",
            '<c t="inlineStr"><v>1001</v></c>',
            "<c><v><![CDATA[1001]]></v></c>",
            "<c><v>1&#48;01</v></c>",
            "<c><v>10<!-- 0 -->01</v></c>",
            "<c><v>1001</v><v>1002</v></c>",
            '<c t="inlineStr"><is><t>1001</t></is><is><t>1002</t></is></c>',
            "<cell><v>1001</v></cell>",
            "1001",
        ],
    )
    def test_what_reads_empty_or_otherwise_than_it_is_written_is_a_fault(self, cells: str) -> None:
        assert faults(workbook(f"{GOOD}<row>{cells}</row>")) == [(2, UNREAD)]

    @pytest.mark.parametrize("named", ["6", "99", "-1", "x"])
    def test_a_shared_text_that_is_missing_is_a_fault_of_its_row(self, named: str) -> None:
        assert len(SHARED) == 6
        rows = f'{GOOD}<row r="2"><c r="A2" t="s"><v>{named}</v></c></row>'
        assert faults(workbook(rows)) == [(2, "cell A2 names a shared text that the workbook does not have")]

    @pytest.mark.parametrize(
        ("cell", "reason"),
        [
            ('<c t="zip"><v>1001</v></c>', "cell 1 holds a value of the unknown kind 'zip'"),
            ("<c><v>many</v></c>", "cell 1 holds 'many' as a number"),
        ],
    )
    def test_a_value_that_is_none_of_its_kind_is_a_fault_of_its_row(self, cell: str, reason: str) -> None:
        assert faults(workbook(f"{GOOD}<row>{cell}</row>")) == [(2, reason)]

    def test_readings_for_how_a_text_is_pronounced_are_not_part_of_it(self) -> None:
        spoken = '<c t="inlineStr"><is><t>A</t><rPh sb="0" eb="1"><t>ah</t></rPh></is></c>'
        assert read(workbook(f"<row><c><v>1000</v></c>{spoken}</row>")) == read(workbook(GOOD))

    def test_rows_below_those_that_the_sheet_declares_are_read(self) -> None:
        declared = (
            f'<worksheet xmlns="x"><dimension ref="A1:B1"/><sheetData>{GOOD}{row(7, NUMBER.format(2000), FACTOR)}'
        )
        content = workbook("", parts={"xl/worksheets/sheet1.xml": f"{declared}</sheetData></worksheet>"})
        assert [str(item) for item in read(content).ranges] == ["1000", "2000"]

    @given(
        st.lists(
            st.sampled_from(
                [
                    ("", None),
                    ("<c PLACE/>", None),
                    ('<c PLACE s="1"><v/></c>', None),
                    ("<c PLACE><v>{}</v></c>" + FACTOR, True),
                    ("<c PLACE><v>{}.0</v></c>" + '<c t="s"><v>1</v></c>', True),
                    ('<c PLACE t="str"><f>A1</f><v>{}</v></c>' + FACTOR, True),
                    ("<c PLACE><f>A1</f></c>" + FACTOR, False),
                    ("<c PLACE>{}</c>", False),
                    ("<c PLACE><v>{}</v>and more</c>" + FACTOR, False),
                ]
            ),
            min_size=1,
            max_size=12,
        )
    )
    def test_each_row_is_empty_or_in_the_table_or_a_fault(self, kinds: list[tuple[str, bool | None]]) -> None:
        rows = [
            f'<row r="{number}">{cells.replace("PLACE", "").format(3000 + number)}</row>'
            for number, (cells, _) in enumerate(kinds, start=1)
        ]
        content = workbook(
            "".join(rows) + f'<row r="{len(rows) + 1}"><c><v>2000</v></c>{FACTOR.replace("PLACE", "")}</row>'
        )
        wrong = [number for number, (_, read_well) in enumerate(kinds, start=1) if read_well is False]
        if wrong:
            assert [line for line, _ in faults(content)] == wrong
        else:
            right = [3000 + number for number, (_, read_well) in enumerate(kinds, start=1) if read_well]
            assert [item.first for item in read(content).ranges] == [2000, *right]


class TestSheetsThatAreNotRead:
    @pytest.mark.parametrize("name", ["xl/macrosheets/sheet1.xml", "xl/worksheets/forgotten.xml"])
    def test_a_part_with_cells_that_is_no_sheet_of_the_workbook_is_not_left_out_in_silence(self, name: str) -> None:
        part = f"<macrosheet><sheetData>{row(1, NUMBER.format(2000), FACTOR)}</sheetData></macrosheet>"
        [(line, reason)] = faults(workbook(GOOD, parts={name: part}))
        assert line == 1
        assert reason.startswith("more than one sheet has something in it")

    def test_cells_of_other_workbooks_that_are_linked_to_are_none_of_this_one(self) -> None:
        linked = "".join(f"<sheetData><row r='{n}'><cell r='A{n}'><v>1</v></cell></row></sheetData>" for n in (1, 2))
        part = f"<externalLink><externalBook><sheetDataSet>{linked}</sheetDataSet></externalBook></externalLink>"
        assert read(workbook(GOOD, parts={"xl/externalLinks/externalLink1.xml": part})) == read(workbook(GOOD))


class TestBounds:
    """What costs much to read is refused before it does: each of these was a matter of seconds or of 300 MB."""

    @pytest.mark.parametrize("value", ["", ">"])
    def test_a_tag_of_very_many_attributes_is_refused(self, value: str) -> None:
        attributes = " ".join(f'a{number}="{value}"' for number in range(40_000))
        reason = "a tag of the workbook is longer than 128 KiB"
        assert faults(workbook(f"<row {attributes}/>")) == [(1, reason)]

    def test_very_many_attributes_in_many_tags_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbook_parts, "_MAX_ATTRIBUTES", 1_000)
        attributes = " ".join(f'a{number}=""' for number in range(50))
        rows = f"<row {attributes}/>" * 30
        assert faults(workbook(rows))[0][1] == "the workbook has too many cells"

    def test_very_many_names_are_refused(self) -> None:
        names = "".join(f"<e{number}/>" for number in range(20_000))
        assert faults(workbook(names)) == [(1, "the XML of the workbook has more than 10,000 names")]

    def test_elements_in_elements_are_refused_where_no_workbook_has_any(self) -> None:
        deep = "<a>" * 100 + "</a>" * 100
        assert faults(workbook(deep)) == [(1, "the XML of the workbook is nested more than 100 deep")]

    def test_a_long_text_in_a_cell_is_refused_with_its_row(self) -> None:
        cell = f'<c t="inlineStr"><is><t>{"x" * 10_001}</t></is></c>'
        reason = "a text of the workbook is longer than 10,000 characters"
        assert faults(workbook(f"{GOOD}<row>{cell}</row>")) == [(2, reason)]

    def test_a_long_comment_is_refused(self) -> None:
        assert faults(workbook(f"<!--{'x' * 200_000}-->"))[0][1] == "a tag of the workbook is longer than 128 KiB"
