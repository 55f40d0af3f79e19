"""A calculation as it is drawn: terms and fractions with their names, and what comes out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from domain.health_index.figures import Figure
from domain.health_index.indexation import Indexation
from domain.leases.corrections import Adapted, Corrected, Limited, decimal_share
from domain.leases.lawful import LawfulRent
from entrypoints.http.pages.rendering import Reader

_TIMES, _PLUS, _MINUS = "\N{MULTIPLICATION SIGN}", "+", "\N{MINUS SIGN}"


class Term(NamedTuple):
    """A number as it is written, and what it is."""

    value: str
    name: str


class Quotient(NamedTuple):
    """One term over another."""

    over: Term
    under: Term


Part = tuple[str, Term | Quotient]
"""A term or a fraction, with the sign before it."""


class Sum(NamedTuple):
    """Parts, each but the first with the sign before it, and the result."""

    parts: Sequence[Part]
    result: Term

    @property
    def line(self) -> str:
        """The calculation in one line, without names."""
        written = []
        for sign, part in self.parts:
            if isinstance(part, Term):
                written += [sign, part.value]
            else:
                written += [sign, f"{part.over.value} \N{DIVISION SIGN} {part.under.value}"]
        return " ".join([*filter(None, written), "=", self.result.value])


def amount_sum(done: Indexation, reader: Reader) -> Sum:
    """An amount times new index over old index."""
    names = reader.texts.fraction
    index = _indices(done.end_index, done.end, names.new_index, done.start_index, done.start, names.old_index, reader)
    return Sum(
        [("", Term(reader.writer.euro(done.amount), names.amount)), (_TIMES, index)],
        Term(reader.writer.euro(done.indexed), f"{done.base_year} = 100"),
    )


def rent_sum(lawful: LawfulRent, reader: Reader) -> Sum:
    """How a rent follows from others and from indices, by the rule that was applied."""
    names, writer = reader.texts.fraction, reader.writer
    done = lawful.ordinary.indexation if lawful.skipped is None else lawful.skipped.indexation
    result = Term(writer.euro(lawful.rent), f"{done.base_year} = 100")
    index = _indices(done.end_index, done.end, names.new_index, done.start_index, done.start, names.start_index, reader)
    whole: list[Part] = [("", Term(writer.euro(done.amount), names.base_rent)), (_TIMES, index)]
    match None if lawful.skipped is not None else lawful.energy.calculation:
        case Limited() as found:
            before = found.before if isinstance(found.before, Decimal) else found.before.indexed
            rise = f"({writer.number(done.indexed)} {_MINUS} {writer.number(before)})"
            share = writer.percent(decimal_share(found.share) * 100 // 1)
            limited: list[Part] = [("", Term(writer.euro(before), names.before)), (_PLUS, Term(share, names.share))]
            return Sum([*limited, (_TIMES, Term(rise, names.rise))], result)
        case Corrected() as found:
            return Sum([*whole, (_TIMES, _factor(found, reader))], result)
        case Adapted() as found:
            later = _indices(
                found.end.value, found.end, names.new_index, found.start.value, found.start, names.start_index, reader
            )
            base = Term(writer.euro(found.base.rent), names.new_base)
            return Sum([("", base), (_TIMES, later)], Term(result.value, f"{found.end.base_year} = 100"))
        case _:
            return Sum(whole, result)


def _indices(
    new: Decimal, new_figure: Figure, new_name: str, old: Decimal, old_figure: Figure, old_name: str, reader: Reader
) -> Quotient:
    writer = reader.writer
    return Quotient(
        Term(writer.number(new), f"{new_name}, {writer.month(new_figure.month)}"),
        Term(writer.number(old), f"{old_name}, {writer.month(old_figure.month)}"),
    )


def _factor(found: Corrected, reader: Reader) -> Quotient:
    """The earlier index, with the share of the rise that was allowed, over the later one."""
    names, writer = reader.texts.fraction, reader.writer
    previous, current = writer.number(found.previous.value), writer.number(found.current.value)
    share = writer.number(decimal_share(found.share))
    over = previous if found.share == 0 else f"{previous} + {share} {_TIMES} ({current} {_MINUS} {previous})"
    return Quotient(
        Term(over, f"{names.factor}, {writer.month(found.previous.month)}"),
        Term(current, writer.month(found.current.month)),
    )
