"""Numbers, amounts, months and days as a language writes them, and as people write them into a form."""

import re
from datetime import date
from decimal import Decimal

from domain.health_index.figures import Month
from entrypoints.http.pages.catalogue import Writing

_MINUS = "\N{MINUS SIGN}"
_BLANKS = re.compile(r"[\s\N{EURO SIGN}]+")
_PLAIN = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,2}))?", re.ASCII)
_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,'])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]{1,2}))?", re.ASCII)
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAY = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})", re.ASCII)
_MONTH = re.compile(r"([0-9]{1,2})[./-]([0-9]{4})", re.ASCII)


class Writer:
    """Writes as one language does."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def number(self, value: Decimal) -> str:
        """All decimals that it has, with its thousands apart."""
        whole, _, decimals = f"{abs(value):,f}".partition(".")
        whole = whole.replace(",", self._writing.group)
        sign = _MINUS if value < 0 else ""
        return f"{sign}{whole}{self._writing.decimal}{decimals}" if decimals else f"{sign}{whole}"

    def euro(self, value: Decimal) -> str:
        return self._writing.euro.format(amount=self.number(value))

    def euro_change(self, value: Decimal) -> str:
        """A difference in euro, always with its sign."""
        sign = "+" if value > 0 else _MINUS
        return f"{sign}{self._writing.euro.format(amount=self.number(abs(value)))}"

    def change(self, value: Decimal) -> str:
        """A change in percent, always with its sign."""
        sign = "+" if value > 0 else ""
        return self._writing.percent.format(number=f"{sign}{self.number(value)}")

    def percent(self, value: Decimal) -> str:
        return self._writing.percent.format(number=self.number(value))

    def month(self, month: Month) -> str:
        return self._writing.month.format(month=self._writing.months[month.number - 1], year=month.year)

    def date(self, day: date) -> str:
        number = self._writing.first_day if day.day == 1 else str(day.day)
        return self._writing.date.format(day=number, month=self._writing.months[day.month - 1], year=day.year)


def plain_amount(text: str) -> str | None:
    """An amount in the notation of the service, from that of any of the languages; None where it is none.

    One rule reads them all, as no amount has more than two decimals: `1.147,39`, `1 147,39`, `1,147.39` and `1147.39`
    are the same, and both `1.000` and `1,000` are a thousand.
    """
    compact = _BLANKS.sub("", text)
    if (found := _PLAIN.fullmatch(compact)) is not None:
        return found[1] if found[2] is None else f"{found[1]}.{found[2]}"
    if (found := _GROUPED.fullmatch(compact)) is not None:
        whole = found[1].replace(found[2], "")
        return whole if found[3] is None else f"{whole}.{found[3]}"
    return None


def iso_day(text: str) -> date | None:
    """A day, written `YYYY-MM-DD` as browsers send it, or day, month and year as people write it; None for neither."""
    found = _DAY.fullmatch(text)
    written = text if found is None else f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    if not _ISO_DAY.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def iso_month(text: str) -> str:
    """A month as `YYYY-MM` where it was written as month and year; anything else as it was given."""
    found = _MONTH.fullmatch(text)
    return text if found is None else f"{found[2]}-{int(found[1]):02}"
