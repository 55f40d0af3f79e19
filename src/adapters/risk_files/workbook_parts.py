"""The parts of an Excel workbook (.xlsx), unpacked within bounds, and what their XML holds row by row.

The library that reads the cells holds a sheet as a full rectangle and copies a shared text into every cell that names
it, so that a kilobyte of XML asks for gigabytes. It also shows a cell that it does not understand as an empty one. So
`look_through` unpacks the workbook within bounds, notes what each row holds, and puts together an archive of its own:
the library never sees the archive that was brought, and what it reads is held against what was noted.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple
from xml.parsers import expat

from adapters.risk_files.columns import MAX_CHARACTERS, MAX_ROWS, TOO_MANY_ROWS, plain
from domain.risk.tables import Fault, InvalidRiskTable

MAX_UNPACKED = 64 * 1024 * 1024
"""The most that the XML of a workbook may hold, in bytes; a table of 9,000 rows takes about 1 MB."""

_MAX_MEMBERS = 1_000
_MAX_ELEMENTS = 2_000_000  # of XML, in all parts
_MAX_ATTRIBUTES = 6_000_000  # of all elements; a cell has up to three
_MAX_NAMES = 10_000  # of elements and attributes, each kept for as long as its part is read
_MAX_DEPTH = 100
_MAX_AREA = 1_000_000  # cells of the rectangle that the library holds
_MAX_COPIED = 64 * 1024 * 1024  # characters, if every cell named the longest of the shared texts

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x41  # the flags of old and of strong encryption
_PIECE = 1 << 16
_MAX_TAG = 1 << 17  # bytes that the parser must hold before it can go on: a tag with all its attributes, a comment
# Links to other workbooks repeat cells of theirs, and are no sheets.
_READ = re.compile(r"\[content_types\]\.xml|_rels/\.rels|xl/(?!media/|drawings/|charts/|externallinks/).*\.(xml|rels)")
_SHARED = "xl/sharedstrings.xml"
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_CELL_KINDS = frozenset({"n", "s", "b", "d", "str", "inlineStr"})
_COUNT = re.compile(r"[0-9]{1,6}")
_ROW = re.compile(r"[1-9][0-9]{0,6}")
_KINDS = {
    "word/document.xml": "a Word document",
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument file (.ods)",
}

_UNSAVED = "holds a formula without a saved value: open the workbook in a spreadsheet program and save it there"

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


_STRAY = (0, "text outside of cells, where no reader looks")


class Looked(NamedTuple):
    """A workbook that costs no more to read than it looks.

    By the number of a row, `rows` has what `row_digest` gives for each with something in it, and `faults` what is wrong
    with a cell; `sheets` is how many parts have such rows, which are not told apart.
    """

    archive: BytesIO
    rows: dict[int, int]
    faults: dict[int, str]
    sheets: int


def refusal(reason: str, line: int = 1) -> InvalidRiskTable:
    """The refusal of a whole workbook."""
    return InvalidRiskTable([Fault(line, reason)])


def row_digest(cells: Iterable[tuple[int, str]]) -> int:
    """One number for the columns, from 1, and texts of a row; cells that say nothing do not count."""
    return hash(tuple((column, said) for column, text in cells if (said := "".join(plain(text).split()))))


EMPTY_ROW = row_digest(())


def cell_text(cell: object) -> str:
    """What the cell says. Excel stores whole numbers as fractions too: 1000.0 says 1000, and 1000.5 says what it is."""
    match cell:
        case str():
            return plain(cell)
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell)


def look_through(content: bytes) -> Looked:
    """The same sheets in an archive of our own, and what they hold.

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
    return Looked(copy, look.rows, look.faults, look.sheets)


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """What is looked at; the shared texts first, since the cells of the sheets name them."""
    members = archive.infolist()
    names = [member.filename.replace("\\", "/").lower() for member in members]
    if "xl/workbook.xml" not in names:
        kind = next((kind for name, kind in _KINDS.items() if name in names), "an archive")
        raise refusal(f"the file is {kind}, not a workbook (.xlsx)")
    if len(names) > _MAX_MEMBERS or len(set(names)) < len(names):
        raise refusal("the workbook is damaged")
    for name, member in sorted(zip(names, members, strict=True), key=lambda each: each[0] != _SHARED):
        if _READ.fullmatch(name):
            if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
                raise refusal("the workbook is encrypted, or packed in an unusual way")
            if member.file_size > MAX_UNPACKED:
                raise refusal(f"the workbook unpacks to more than {MAX_UNPACKED // 2**20} MiB")
            yield member


class _Look:
    """A look through the parts: plain XML in UTF-8, cells in order, and no more of them than can be held."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.faults: dict[int, str] = {}
        self.sheets = 0
        self._shared: list[str] = []
        self._elements = self._attributes = 0
        self._filled = 0  # cells with something in them
        self._longest = 0  # characters of a shared text

    def begin(self) -> None:
        """Another part."""
        self._row = self._column = self._characters = self._fed = self._depth = 0
        self._sheet = False
        self._found = False  # whether the part has a row with something in it
        self._corner: tuple[int, int] | None = None  # the least row and column with something in them
        self._far_column = 0
        self._cells: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._kind = self._place = ""
        self._formula = self._saved = self._inline = False
        self._aside = 0  # how deep in elements whose text is not what the cell says
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)  # it hides where the parser stands
        self._parser.XmlDeclHandler = self._declared
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece)
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _MAX_TAG:
            raise refusal(f"a tag of the workbook is longer than {_MAX_TAG // 2**10} KiB", max(self._row, 1))
        if len(self._parser.intern) > _MAX_NAMES:
            raise refusal(f"the XML of the workbook has more than {_MAX_NAMES:,} names")

    def end(self) -> None:
        self._parser.Parse(b"", True)
        self._end_row()
        self.sheets += self._found
        if self._filled * self._longest > _MAX_COPIED:
            raise refusal("the texts of the workbook are too long for so many cells")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").lower() != "utf-8":
            raise refusal("the workbook is not written in UTF-8")

    def _doctype(self, *_: object) -> None:
        raise refusal("the workbook defines XML of its own")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._bound(attributes)
        local = name.rpartition(":")[2]
        if local == "rPh" or (local == "f" and self._sheet):
            self._aside += 1
        if self._sheet:
            self._start_in_sheet(local, attributes)
        elif local in {"sheetData", "si"}:
            self._sheet = local == "sheetData"
            self._characters = 0
            self._parser.CharacterDataHandler = self._take

    def _bound(self, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._attributes += len(attributes)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise refusal(f"the XML of the workbook is nested more than {_MAX_DEPTH} deep", max(self._row, 1))
        if self._elements > _MAX_ELEMENTS or self._attributes > _MAX_ATTRIBUTES:
            raise refusal("the workbook has too many cells", max(self._row, 1))
        for attribute, value in attributes.items():
            if attribute.endswith("ount") and not _COUNT.fullmatch(value):
                raise ValueError(value)  # the library makes room for as many, and ends the process where it cannot

    def _start_in_sheet(self, local: str, attributes: dict[str, str]) -> None:
        match local:
            case "c":
                self._begin_cell(attributes)
            case "row":
                self._begin_row(attributes.get("r"))
            case "v" | "is":
                self._saved, self._inline = True, local == "is"
                self._fill()
            case "f":
                self._formula = True
            case "sheetData":
                raise ValueError(local)

    def _end(self, name: str) -> None:
        self._depth -= 1
        match name.rpartition(":")[2]:
            case "c" if self._sheet:
                self._end_cell()
            case "row" if self._sheet:
                self._end_row()
            case "f" if self._sheet:
                self._aside -= 1
            case "rPh":
                self._aside -= 1
            case "sheetData":
                self._end_row()
                self._parser.CharacterDataHandler = None
            case "si" if not self._sheet:
                self._longest = max(self._longest, self._characters)
                self._shared.append(self._said())
                self._parser.CharacterDataHandler = None

    def _take(self, text: str) -> None:
        if self._sheet and not self._place:
            if not text.isspace() and self._cells[-1:] != [_STRAY]:
                self._cells.append(_STRAY)
            return
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise refusal(f"a text of the workbook is longer than {MAX_CHARACTERS:,} characters", max(self._row, 1))
        if not self._aside:
            self._text.append(text)

    def _said(self) -> str:
        said = "".join(self._text)
        self._text.clear()
        return said

    def _begin_row(self, number: str | None) -> None:
        if number is not None and not _ROW.fullmatch(number):
            raise ValueError(number)
        row = self._row + 1 if number is None else int(number)
        if row <= self._row:
            raise ValueError(number)
        self._end_row()
        self._row, self._column = row, 0

    def _end_row(self) -> None:
        digest = row_digest(self._cells)
        self._cells.clear()
        if digest != EMPTY_ROW:
            self.rows[self._row] = digest
            self._found = True

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
        self._column, self._place, self._characters = column, place or f"{column}", 0
        self._kind = attributes.get("t", "n")
        self._formula = self._saved = self._inline = False
        if self._kind == "e":  # the library shows it as an empty cell
            raise refusal(f"cell {self._place} holds an error such as #N/A", self._row)
        if self._kind not in _CELL_KINDS:
            self._blame(f"holds a value of the unknown kind '{self._kind[:16]}'")

    def _end_cell(self) -> None:
        said = self._said()
        if said.strip():
            self._cells.append((self._column, self._value(said)))
        elif self._formula and not (self._kind == "str" and self._saved):  # a text may be empty, a number may not
            self._blame(_UNSAVED)
        self._place = ""

    def _blame(self, reason: str) -> None:
        self.faults.setdefault(self._row, f"cell {self._place} {reason}")
        self._found = True

    def _value(self, said: str) -> str:
        """What a reader should show of what a cell holds."""
        match self._kind:
            case "s":
                number = said.strip()
                if not _COUNT.fullmatch(number) or int(number) >= len(self._shared):
                    self._blame("names a shared text that the workbook does not have")
                    return said
                return self._shared[int(number)]
            case "b":
                return str(said.strip() in {"1", "true"})
            case "n":
                try:
                    return cell_text(float(said))
                except ValueError:
                    if not self._inline:
                        self._blame(f"holds '{said[:16]}' as a number")
        return said

    def _fill(self) -> None:
        self._filled += 1
        if self._row > MAX_ROWS:
            raise refusal(TOO_MANY_ROWS, self._row)
        top, left = self._corner or (self._row, self._column)
        self._corner = top, left = min(top, self._row), min(left, self._column)
        self._far_column = max(self._far_column, self._column)
        if (self._row - top + 1) * (self._far_column - left + 1) > _MAX_AREA:
            raise refusal("the cells of the sheet lie too far apart", self._row)
