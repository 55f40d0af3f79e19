"""Risk tables as comma-separated files, in two spellings.

Without a header, a range or a single zipcode, and its factor: `1000 - 1310,C` or `1315,B`.
With the header `first,last,risk_factor`, one range on each line: `1000,1310,C`.
"""

import csv
import io
import re
from pathlib import Path

from domain.errors import InvalidRiskTable
from domain.zipcodes import Fault, RiskRow, RiskTable

MAX_BYTES = 100 * 1024 * 1024
_HEADER = ["first", "last", "risk_factor"]
_RANGE = re.compile("([^-\u2013]*)[-\u2013]([^-\u2013]*)")  # Excel turns a hyphen into an en dash


def read_risk_table(path: Path) -> RiskTable:
    """Read and check a whole file.

    :raises InvalidRiskTable: with every fault and its line; a file that cannot be read, is not UTF-8 text or is larger
        than 100 MiB has one fault, on line 1
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidRiskTable([Fault(1, f"the file is larger than {MAX_BYTES // 2**20} MiB")])
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidRiskTable(
            [Fault(1, f"{path} cannot be read: {error.strerror or type(error).__name__}")]
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRiskTable([Fault(1, f"the file is not UTF-8 text (byte {error.start})")]) from error
    return parse_risk_table(text)


def parse_risk_table(text: str) -> RiskTable:
    """Check a table given as text; blank lines do not count.

    :raises InvalidRiskTable: with every fault and its line
    """
    rows: list[RiskRow] = []
    faults: list[Fault] = []
    with_header: bool | None = None
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        try:
            fields = [field.strip() for field in next(csv.reader([line]), [])]
        except csv.Error as error:
            faults.append(Fault(number, str(error)))
            continue
        if not any(fields):
            continue
        if with_header is None:
            with_header = [field.lower() for field in fields] == _HEADER
            if with_header:
                continue
        row = _with_header(number, fields) if with_header else _without_header(number, fields)
        if isinstance(row, RiskRow):
            rows.append(row)
        else:
            faults.append(row)
    return RiskTable.from_rows(rows, faults)


def _with_header(number: int, fields: list[str]) -> RiskRow | Fault:
    if len(fields) != len(_HEADER):
        return Fault(number, f"{len(fields)} fields where the header has {len(_HEADER)} ({', '.join(_HEADER)})")
    return RiskRow(number, *fields)


def _without_header(number: int, fields: list[str]) -> RiskRow | Fault:
    if len(fields) != 2:
        return Fault(
            number, f"{len(fields)} fields instead of 2: a zipcode or a range such as 1000 - 1310, and a factor"
        )
    bounds, factor = fields
    between = _RANGE.fullmatch(bounds)
    first, last = (between[1].strip(), between[2].strip()) if between else (bounds, bounds)
    return RiskRow(number, first, last, factor)
