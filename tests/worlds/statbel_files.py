"""Small files in the forms of Statbel, written from figures."""

import zipfile
from collections.abc import Iterable, Mapping
from decimal import Decimal
from io import BytesIO

import msgspec

from domain.health_index.figures import Figure

HEADER = (
    "NM_YR|NM_MTH|MS_CPI_IDX|MS_WITHOUT_ENE_IDX|MS_WITHOUT_PTRL_IDX|MS_WT_CPI|MS_CPI_INFL|"
    "MS_HLTH_IDX|MS_SMOOTH_IDX|NM_BASE_YR"
)
OLD_ROWS = (
    "1920|1|396.00000000|.|.|1000|.|.|.|1914",
    "1993|12|112.86000000|.|.|1000|.|.|.|1988",
    "2006|1|3208.91000000|.|.|1000|.|.|.|1914",
)
"""Rows without a health index, such as the genuine table has: before 1994, and of base years that never had one."""

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "nl": "Januari Februari Maart April Mei Juni Juli Augustus September Oktober November December",
}


def row(figure: Figure) -> str:
    """A row of the table; the numbers carry as many decimals as Statbel pads them to."""
    smoothed = "." if figure.smoothed is None else f"{figure.smoothed:.8f}"
    return (
        f"{figure.month.year}|{figure.month.number}|100.00000000|.|.|1000|1.25%|"
        f"{figure.value:.6f}|{smoothed}|{figure.base_year}"
    )


def table(figures: Iterable[Figure]) -> bytes:
    """The open-data table, byte order mark and old rows included."""
    return "\n".join((HEADER, *OLD_ROWS, *map(row, figures), "")).encode("utf-8-sig")


def archive(text: bytes, *names: str) -> bytes:
    """A ZIP file with this content under each name, one member as Statbel calls it by default."""
    return archive_of(dict.fromkeys(names or ("CPI All base years.txt",), text))


def archive_of(members: Mapping[str, bytes]) -> bytes:
    """A ZIP file with these contents by name."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            # A time of its own would make each archive different.
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return buffer.getvalue()


def records(figures: Iterable[Figure], language: str = "en", *, named_base: bool = True) -> list[dict[str, object]]:
    """The facts of a view, a total at the end; index points carry noise as be.STAT's do."""
    year, month, value, smoothed = {
        "en": ("Year", "Month", "Health index", "Health index (moving average)"),
        "nl": ("Jaar", "Maand", "Gezondheidsindex", "Afgevlakte index"),
    }[language]
    facts: list[dict[str, object]] = []
    for figure in figures:
        fact: dict[str, object] = {
            year: str(figure.month.year),
            month: f"{MONTHS[language].split()[figure.month.number - 1]} {figure.month.year}",
            value: _noisy(figure.value),
            smoothed: None if figure.smoothed is None else _noisy(figure.smoothed),
        }
        if named_base:
            fact["Base year"] = f"{figure.base_year} = 100"
        facts.append(fact)
    facts.append(dict.fromkeys(facts[0] if facts else (year, month, value, smoothed)))
    return facts


def view(figures: Iterable[Figure], language: str = "en", *, named_base: bool = True) -> bytes:
    """The answer of a be.STAT view."""
    return view_of(records(figures, language, named_base=named_base))


def view_of(facts: object) -> bytes:
    """The answer of a be.STAT view that has these facts."""
    return msgspec.json.Encoder(decimal_format="number").encode({"facts": facts})


def _noisy(points: Decimal) -> Decimal:
    return points + Decimal("0.00000000000047")
