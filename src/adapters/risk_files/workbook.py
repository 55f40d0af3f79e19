"""Risk tables as Excel workbooks (.xlsx): the one sheet that has anything in it, with the same columns as a text."""

from collections.abc import Iterator
from datetime import date, time, timedelta

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from adapters.risk_files.columns import Record, plain, read_rows
from adapters.risk_files.workbook_parts import EMPTY_ROW, Looked, cell_text, look_through, refusal, row_digest
from domain.risk.tables import MAX_FAULTS, Fault, InvalidRiskTable, RiskRow

_MAX_SHEETS = 32
_UNREAD = "the row holds something that cannot be read: type its cells anew, as plain numbers and texts"


def read_workbook(content: bytes) -> Iterator[RiskRow | Fault]:
    """The rows, unchecked, and the faults of those that are none; a line is a row of the sheet.

    A row that holds something and reads empty, or otherwise than it is written, is a fault; so is a formula without a
    saved value.

    :raises InvalidRiskTable: with one fault, for what is no workbook or too large a one, for none or several sheets
        with something in them, and for a cell that holds an error
    """
    looked = look_through(content)
    return read_rows(_records(_sheet(looked), looked))


def _sheet(looked: Looked) -> CalamineSheet | None:
    try:
        with CalamineWorkbook.from_filelike(looked.archive) as workbook:
            kept: tuple[CalamineSheet, str] | None = None
            metadata = workbook.sheets_metadata
            if len(metadata) > _MAX_SHEETS:
                raise refusal(f"the workbook has more than {_MAX_SHEETS} sheets")
            for index, each in enumerate(metadata):
                if each.typ is not SheetTypeEnum.WorkSheet:
                    continue
                sheet = workbook.get_sheet_by_index(index)
                if sheet.start is None:
                    continue
                name = f"'{plain(each.name)[:32]}'" + ("" if each.visible is SheetVisibleEnum.Visible else " (hidden)")
                if kept is not None:
                    raise refusal(f"more than one sheet has something in it: {kept[1]} and {name}; leave one")
                kept = sheet, name
    except CalamineError as error:
        if looked.faults:  # which say what it is that the library stumbles over
            told = [Fault(*each) for each in sorted(looked.faults.items())[:MAX_FAULTS]]
            raise InvalidRiskTable(told, len(looked.faults)) from error
        raise refusal("the workbook is damaged") from error
    if looked.sheets > 1:
        raise refusal(
            "more than one sheet has something in it, one of them a sheet of macros or of formulas; leave one"
        )
    return kept[0] if kept else None


def _records(sheet: CalamineSheet | None, looked: Looked) -> Iterator[Record | Fault]:
    """The rows that say what the workbook holds, and a fault for each other one."""
    held, faults = dict(looked.rows), dict(looked.faults)
    if sheet is not None and sheet.start is not None:
        left = sheet.start[1] + 1
        for number, cells in enumerate(sheet.iter_rows(), start=1):  # empty rows above the first are given as such
            texts = [cell_text(cell) for cell in cells]
            same = row_digest(enumerate(texts, left)) == held.pop(number, EMPTY_ROW)
            if number in faults:
                yield Fault(number, faults.pop(number))
            elif same or any(map(_is_date, cells)):
                yield number, texts
            else:
                yield Fault(number, _UNREAD)
    for number in sorted(held.keys() | faults.keys()):
        yield Fault(number, faults.get(number, _UNREAD))


def _is_date(cell: object) -> bool:
    """Whether a number is shown as a date, by its style alone; it is a fault as such."""
    return isinstance(cell, date | time | timedelta)
