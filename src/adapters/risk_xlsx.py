"""Risk tables as Excel workbooks (.xlsx): the one sheet that has anything in it, with the same columns as a text."""

from collections.abc import Iterator

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from adapters.risk_columns import Record, plain, read_rows
from adapters.risk_workbook import refusal, safe_workbook
from domain.zipcodes import Fault, RiskRow

_MAX_SHEETS = 32


def read_workbook(content: bytes) -> Iterator[RiskRow | Fault]:
    """The rows, unchecked, and the faults of those that are none; a line is a row of the sheet.

    :raises InvalidRiskTable: with one fault, for what is no workbook or too large a one, for none or several sheets
        with something in them, and for a cell that holds an error
    """
    return read_rows(_records(_sheet(content)))


def _sheet(content: bytes) -> CalamineSheet | None:
    try:
        with CalamineWorkbook.from_filelike(safe_workbook(content)) as workbook:
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
        raise refusal("the workbook is damaged") from error
    return kept[0] if kept else None


def _records(sheet: CalamineSheet | None) -> Iterator[Record]:
    rows = () if sheet is None else sheet.iter_rows()  # empty rows above the first are given as such
    for number, cells in enumerate(rows, start=1):
        yield number, [_text(cell) for cell in cells]


def _text(cell: object) -> str:
    """What the cell says. Excel stores whole numbers as fractions too: 1000.0 says 1000, and 1000.5 says what it is."""
    match cell:
        case str():
            return plain(cell)
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)
