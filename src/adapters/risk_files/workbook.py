"""Risk tables as Excel workbooks (.xlsx): the one sheet that has anything in it, with the same columns as a text.

The library that reads the cells holds a sheet as a full rectangle and copies a shared text into every cell that names
it, so that a kilobyte of XML asks for gigabytes. So a workbook is first unpacked within bounds, looked through, and put
together anew from what was looked at: the library never sees the archive that was brought.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from adapters.risk_files.columns import MAX_CHARACTERS, MAX_ROWS, TOO_MANY_ROWS, Record, plain, read_rows
from domain.risk.tables import Fault, InvalidRiskTable, RiskRow

MAX_UNPACKED = 64 * 1024 * 1024
"""The most that the XML of a workbook may hold, in bytes; a table of 9,000 rows takes about 1 MB."""

_MAX_MEMBERS = 1_000
_MAX_ELEMENTS = 2_000_000  # of XML, in all parts
_MAX_AREA = 1_000_000  # cells of the rectangle that the library holds
_MAX_COPIED = 64 * 1024 * 1024  # characters, if every cell named the longest of the shared texts

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x41  # the flags of old and of strong encryption
_PIECE = 1 << 16
_READ = re.compile(r"\[content_types\]\.xml|_rels/\.rels|xl/(?!media/|drawings/|charts/).*\.(xml|rels)")
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_OF_SHEETS = frozenset({"row", "c", "v", "is"})
_COUNT = re.compile(r"[0-9]{1,6}")
_ROW = re.compile(r"[1-9][0-9]{0,6}")
_KINDS = {
    "word/document.xml": "a Word document",
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
}

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    expat.ExpatError,
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile was seen to raise, or may raise by its own code, on bytes that are not quite an archive."""


def refusal(reason: str, line: int = 1) -> InvalidRiskTable:
    """The refusal of a whole workbook."""
    return InvalidRiskTable([Fault(line, reason)])


def safe_workbook(content: bytes) -> BytesIO:
    """The same sheets in an archive of our own, which costs no more to read than it looks.

    :raises InvalidRiskTable: with one fault, for anything that is no workbook, is damaged, or is too large unpacked
    """
    copy = BytesIO()
    left = MAX_UNPACKED
    look = _Look()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive, zipfile.ZipFile(copy, "w") as safe:
            for member in _members(archive):
                look.begin()
                with archive.open(member) as packed, safe.open(member.filename, "w") as written:
                    while piece := packed.read(_PIECE):
                        left -= len(piece)
                        if left < 0:
                            raise refusal(f"the workbook unpacks to more than {MAX_UNPACKED // 2**20} MiB")
                        look.feed(piece)
                        written.write(piece)
                look.end()
    except _FAULTS as error:
        raise refusal("the workbook is damaged") from error
    copy.seek(0)
    return copy


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename.replace("\\", "/").lower() for member in members]
    if "xl/workbook.xml" not in names:
        kind = next((kind for name, kind in _KINDS.items() if name in names), "an archive")
        raise refusal(f"the file is {kind}, not a workbook (.xlsx)")
    if len(names) > _MAX_MEMBERS or len(set(names)) < len(names):
        raise refusal("the workbook is damaged")
    for name, member in zip(names, members, strict=True):
        if _READ.fullmatch(name):
            if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
                raise refusal("the workbook is encrypted, or packed in an unusual way")
            if member.file_size > MAX_UNPACKED:
                raise refusal(f"the workbook unpacks to more than {MAX_UNPACKED // 2**20} MiB")
            yield member


class _Look:
    """A look through the parts: plain XML in UTF-8, cells in order, and no more of them than can be held."""

    def __init__(self) -> None:
        self._elements = 0
        self._filled = 0  # cells with something in them
        self._longest = 0  # characters of a shared text

    def begin(self) -> None:
        """Another part."""
        self._row = self._column = self._characters = 0
        self._sheet = False
        self._corner: tuple[int, int] | None = None  # the least row and column with something in them
        self._far_column = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece)

    def end(self) -> None:
        self._parser.Parse(b"", True)
        if self._filled * self._longest > _MAX_COPIED:
            raise refusal("the texts of the workbook are too long for so many cells")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() != "utf-8":
            raise refusal("the workbook is not written in UTF-8")

    def _doctype(self, *_: object) -> None:
        raise refusal("the workbook defines XML of its own")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise refusal("the workbook has too many cells", max(self._row, 1))
        local = name.rpartition(":")[2] if ":" in name else name
        if self._sheet and local in _OF_SHEETS:
            if local == "c":
                self._begin_cell(attributes)
            elif local == "row":
                self._begin_row(attributes.get("r"))
            else:
                self._fill()
            return
        if local == "sheetData":
            if self._sheet:
                raise ValueError(name)
            self._sheet = True
        elif local == "si":
            self._characters = 0
            self._parser.CharacterDataHandler = self._read
        for attribute, value in attributes.items():
            if attribute.endswith("ount") and not _COUNT.fullmatch(value):
                raise ValueError(value)  # the library makes room for as many, and ends the process where it cannot

    def _read(self, text: str) -> None:
        self._characters += len(text)
        self._longest = max(self._longest, self._characters)
        if self._characters > MAX_CHARACTERS:
            raise refusal(f"a text of the workbook is longer than {MAX_CHARACTERS:,} characters")

    def _begin_row(self, number: str | None) -> None:
        if number is not None and not _ROW.fullmatch(number):
            raise ValueError(number)
        row = self._row + 1 if number is None else int(number)
        if row <= self._row:
            raise ValueError(number)
        self._row, self._column = row, 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        column = self._column + 1
        if place is not None:
            split = _CELL.fullmatch(place)
            if split is None or int(split[2]) != self._row:
                raise ValueError(place)
            column = 0
            for letter in split[1]:
                column = column * 26 + ord(letter) - 64
        if column <= self._column:
            raise ValueError(place)
        self._column = column
        if attributes.get("t") == "e":  # the library shows it as an empty cell
            raise refusal(f"cell {place or column} holds an error such as #N/A", self._row)

    def _fill(self) -> None:
        self._filled += 1
        if self._row > MAX_ROWS:
            raise refusal(TOO_MANY_ROWS, self._row)
        top, left = self._corner or (self._row, self._column)
        self._corner = top, left = min(top, self._row), min(left, self._column)
        self._far_column = max(self._far_column, self._column)
        if (self._row - top + 1) * (self._far_column - left + 1) > _MAX_AREA:
            raise refusal("the cells of the sheet lie too far apart", self._row)


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
