"""The columns of a risk table: what they may be called, and what may stand in them, whatever the kind of file."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from domain.risk.tables import Fault, RiskRow

MAX_ROWS = 1_000_000
"""No table needs more than 9,000; what is longer is another file."""

MAX_CHARACTERS = 10_000
"""The longest line of a text, or cell of a workbook."""

TOO_MANY_ROWS = f"there are more than {MAX_ROWS:,} rows"

Record = tuple[int, list[str]]
"""The number of a line, from 1, and its fields."""

COLUMNS = {
    "zipcodes": ("zipcode", "zipcodes", "zip", "range", "postcode", "postcodes", "code postal", "codes postaux"),
    "first": ("first", "from", "van", "de"),
    "last": ("last", "to", "tot", "à"),
    "factor": ("risk factor", "risk", "factor", "risicofactor", "facteur de risque"),
}
"""What a header may say; capitals, blanks, hyphens and underscores do not matter, nor does the order of the columns."""

_NAMED = 5  # columns of a header that are named in a message
_LONGEST_ECHO = 100
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_COLUMN_OF = {name.replace(" ", ""): column for column, names in COLUMNS.items() for name in names}
_WITHOUT_HEADER = ("zipcodes", "factor")
_WITH_HEADER = ({"zipcodes", "factor"}, {"first", "last", "factor"})

# Office programs turn a hyphen into a dash and a blank into one that does not break; byte order marks and blanks of no
# width stay behind where files were joined or pages copied.
_PLAIN: dict[int, str | None] = {
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
    **dict.fromkeys((0xA0, 0x2007, 0x202F), " "),
    **dict.fromkeys((0x200B, 0x2060, 0xFEFF)),
}


def plain(text: str) -> str:
    """The same text with the hyphens and blanks of a keyboard."""
    return text if text.isascii() else text.translate(_PLAIN)


def read_rows(records: Iterable[Record | Fault]) -> Iterator[RiskRow | Fault]:
    """The rows of a table, unchecked, and what is wrong with the lines that have none; faults pass through.

    Empty lines and empty fields at the end of a line do not count.
    """
    layout: tuple[str, ...] | None = None
    for record in records:
        if isinstance(record, Fault):
            yield record
            continue
        line, fields = record
        text = "".join(fields)
        if not text.isprintable() and (unseen := _unseen(text)) is not None:
            yield Fault(line, f"there is a character in it that cannot be seen (U+{ord(unseen):04X})")
            continue
        fields = [field.strip() for field in fields]
        while fields and not fields[-1]:
            fields.pop()
        if not fields:
            continue
        if layout is None:
            layout = _header(fields)
            if layout is not None:
                continue
            layout = _WITHOUT_HEADER
            if not any(character.isdigit() for field in fields for character in field):
                yield Fault(line, _unknown_header(fields))
                if len(fields) != len(layout):
                    return  # every other line would be as wide
                continue
        yield _row(line, fields, layout)


def _unseen(text: str) -> str | None:
    return next(
        (c for c in text if not c.isprintable() and c not in "\t\r\n" and unicodedata.category(c) != "Zs"), None
    )


def _columns(fields: list[str]) -> tuple[str, ...]:
    """Which column each field of a header names; nothing for a name that is not known."""
    return tuple(_COLUMN_OF.get(_BETWEEN_WORDS.sub("", field.lower()), "") for field in fields)


def _unknown_header(fields: list[str]) -> str:
    unknown = [field for field, column in zip(fields, _columns(fields), strict=True) if not column]
    named = ", ".join(f"'{field[:32]}'" if field else "an empty field" for field in unknown[:_NAMED])
    named += ", ..." if len(unknown) > _NAMED else ""
    found = f"no column is called {named}" if unknown else f"it has {', '.join(fields)[:_LONGEST_ECHO]}"
    wanted = "a table has zipcode,risk_factor or first,last,risk_factor and no other columns"
    return f"neither a row nor a header that is known: {found}; {wanted}"


def _header(fields: list[str]) -> tuple[str, ...] | None:
    columns = _columns(fields)
    return columns if set(columns) in _WITH_HEADER and len(set(columns)) == len(columns) else None


def _row(line: int, fields: list[str], layout: tuple[str, ...]) -> RiskRow | Fault:
    if len(fields) != len(layout):
        found = f"{len(fields)} field{'s' if len(fields) > 1 else ''}"
        more = f"; '{fields[len(layout)][:32]}' is too much" if len(fields) > len(layout) else ""
        if layout is _WITHOUT_HEADER:
            return Fault(line, f"{found} instead of 2: a zipcode or a range such as 1000 - 1310, and a factor{more}")
        return Fault(line, f"{found} where the header has {len(layout)} ({', '.join(layout)}){more}")
    if len(layout) == 3:
        return RiskRow(line, *(fields[layout.index(column)] for column in ("first", "last", "factor")))
    zipcodes, factor = fields if layout[0] == "zipcodes" else reversed(fields)
    first, hyphen, last = zipcodes.partition("-")
    if not hyphen or "-" in last:
        return RiskRow(line, zipcodes, zipcodes, factor)
    return RiskRow(line, first.rstrip(), last.lstrip(), factor)
