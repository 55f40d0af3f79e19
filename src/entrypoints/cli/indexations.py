"""`belref indexation`: an amount that follows the health index, with its receipt."""

import asyncio
from decimal import Decimal
from pathlib import Path

import click

from domain.health_index.figures import Month
from domain.health_index.indexation import Indexation, IndexKind, index_amount, provenance_of
from entrypoints.cli.batch import Batch, file_option
from entrypoints.cli.commands import Command, Refused, out, print_json
from entrypoints.cli.opening import known_figures, make_container
from entrypoints.cli.values import AMOUNT, MONTH, json_option
from entrypoints.http.health_index.receipts import IndexationBody, IndexationCase, indexation_receipt, raw_amount
from entrypoints.http.problems import ProblemError
from entrypoints.settings import load_settings


class Question(Command):
    """What the HTTP interface would answer with a problem is a refusal here, and in words alone."""

    refuses_in_json = False

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ProblemError as error:
            raise Refused("problem", [str(error)]) from error


@click.command(cls=Question)
@click.argument("amount", type=AMOUNT, required=False)
@click.option("--from", "first", type=MONTH, metavar="YYYY-MM", help="The starting month.")
@click.option("--to", "last", type=MONTH, metavar="YYYY-MM", help="The month of the new index.")
@click.option("--base-year", type=int, help="Otherwise that in force in the starting month.")
@click.option("--index", "kind", type=click.Choice([k.value for k in IndexKind]), default=IndexKind.HEALTH.value)
@file_option
@json_option
def indexation(
    amount: Decimal | None,
    first: Month | None,
    last: Month | None,
    base_year: int | None,
    kind: str,
    file: Path | None,
    *,
    as_json: bool,
) -> None:
    """AMOUNT euro, indexed from one month to another.

    With --file, many: columns amount, from, to, base_year, index. CSV out, or with --json one object on each line.
    """
    if file is not None:
        if amount is not None:
            raise click.UsageError("give AMOUNT, or --file with amounts in it")
        given = {"from": first, "to": last, "base_year": base_year, "index": kind}
        _many().run(file, given, as_json=as_json)
        return
    if amount is None or first is None or last is None:
        raise click.UsageError("give AMOUNT with --from and --to, or --file")
    container = make_container(load_settings())
    view = asyncio.run(known_figures(container))
    if as_json:
        case = IndexationCase(raw_amount(str(amount)), str(first), str(last), base_year, IndexKind(kind))
        print_json(indexation_receipt(view, container.uncached_index().last_change(), case, "body"))
        return
    done = index_amount(view.figure, amount, first, last, base_year=base_year, kind=IndexKind(kind))
    out.print(f"[bold]{done.indexed}[/bold]")
    print_receipt(done)


def _many() -> Batch[IndexationCase]:
    container = make_container(load_settings())
    view = asyncio.run(known_figures(container))
    known_at = container.uncached_index().last_change()

    def answer(case: IndexationCase) -> IndexationBody:
        return indexation_receipt(view, known_at, case, "body")

    return Batch(IndexationCase, answer, ("indexed", "base_year", "ratio"))


def print_receipt(done: Indexation) -> None:
    """A calculation with its figures and the reason of their base year."""
    out.print(done.formula, markup=False)
    for figure, index in ((done.start, done.start_index), (done.end, done.end_index)):
        provenance = provenance_of(figure, done.kind)
        out.print(f"{done.kind} index of {figure.month} in base {figure.base_year}: {index} ({provenance})")
    out.print(f"base year: {done.base_year_rule}", markup=False)
