"""What people write into the forms: values, or a message at the field that says what would be right."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal

from domain.health_index.figures import InvalidMonth, Month
from domain.health_index.indexation import LARGEST_AMOUNT, InvalidAmount, parse_amount
from domain.risk.tables import InvalidZipcode, Zipcode, parse_zipcode
from entrypoints.http.pages.catalogue import Texts
from entrypoints.http.pages.writing import Writer, iso_day, iso_month, plain_amount
from entrypoints.http.problems import echo


class Form:
    """The fields of a form as they were sent. Reading one gives None where it is empty or wrong, and notes why."""

    def __init__(
        self, name: str, fields: Iterable[str], given: Mapping[str, str], texts: Texts, writer: Writer
    ) -> None:
        self.name = name
        self.values = {name: given.get(name, "").strip() for name in fields}
        self.errors: dict[str, str] = {}
        self._texts, self._writer = texts.errors, writer

    @property
    def is_sent(self) -> bool:
        """Whether anything was filled in."""
        return any(self.values.values())

    def refuse(self, name: str, message: str) -> None:
        """Say at a field what is wrong; what was said first stays."""
        self.errors.setdefault(name, message)

    def text(self, name: str, *, required: bool = True) -> str | None:
        """What a field holds."""
        value = self.values[name]
        if not value and required:
            self.refuse(name, self._texts.required)
        return value or None

    def amount(self, name: str, *, required: bool = True) -> Decimal | None:
        """An amount of euro, in the notation of any of the languages."""
        value = self.text(name, required=required)
        if value is None:
            return None
        plain = plain_amount(value)
        if plain is None:
            self.refuse(name, self._texts.amount.format(value=echo(value)))
            return None
        try:
            return parse_amount(plain)
        except InvalidAmount:
            most = self._writer.euro(LARGEST_AMOUNT)
            self.refuse(name, self._texts.amount_range.format(value=echo(value), most=most))
            return None

    def month(self, name: str) -> Month | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return Month.parse(iso_month(value))
        except InvalidMonth:
            self.refuse(name, self._texts.month.format(value=echo(value)))
            return None

    def day(self, name: str, *, required: bool = True) -> date | None:
        value = self.text(name, required=required)
        if value is None:
            return None
        found = iso_day(value)
        if found is None:
            self.refuse(name, self._texts.day.format(value=echo(value)))
        return found

    def zipcode(self, name: str, *, required: bool = True) -> Zipcode | None:
        value = self.text(name, required=required)
        if value is None:
            return None
        try:
            return parse_zipcode(value)
        except InvalidZipcode:
            self.refuse(name, self._texts.zipcode.format(value=echo(value)))
            return None

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """One of several, or None where none was chosen."""
        value = self.text(name, required=False)
        if value is None or value in choices:
            return value
        self.refuse(name, self._texts.choice.format(value=echo(value)))
        return None
