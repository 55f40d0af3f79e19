"""`belref indexation`: an amount that follows the health index, with its receipt."""

import asyncio
from decimal import Decimal

import click

from domain.health_index.figures import Month
from domain.health_index.indexation import Indexation, IndexKind, index_amount, provenance_of
from entrypoints.cli.commands import Command, Refused, out, print_json
from entrypoints.cli.opening import known_figures, make_container
from entrypoints.cli.values import AMOUNT, MONTH, json_option
from entrypoints.http.health_index.receipts import IndexationCase, indexation_receipt, written
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
@click.argument("amount", type=AMOUNT)
@click.option("--from", "first", type=MONTH, required=True, metavar="YYYY-MM", help="The starting month.")
@click.option("--to", "last", type=MONTH, required=True, metavar="YYYY-MM", help="The month of the new index.")
@click.option("--base-year", type=int, help="Otherwise that in force in the starting month.")
@click.option("--index", "kind", type=click.Choice([k.value for k in IndexKind]), default=IndexKind.HEALTH.value)
@json_option
def indexation(amount: Decimal, first: Month, last: Month, base_year: int | None, kind: str, *, as_json: bool) -> None:
    """AMOUNT euro, indexed from one month to another."""
    container = make_container(load_settings())
    view = asyncio.run(known_figures(container))
    if as_json:
        case = IndexationCase(written(str(amount)), str(first), str(last), base_year, IndexKind(kind))
        print_json(indexation_receipt(view, container.uncached_index().last_change(), case, "body"))
        return
    done = index_amount(view.figure, amount, first, last, base_year=base_year, kind=IndexKind(kind))
    out.print(f"[bold]{done.indexed}[/bold]")
    print_receipt(done)


def print_receipt(done: Indexation) -> None:
    """A calculation with its figures and the reason of their base year."""
    out.print(done.formula, markup=False)
    for figure, index in ((done.start, done.start_index), (done.end, done.end_index)):
        provenance = provenance_of(figure, done.kind)
        out.print(f"{done.kind} index of {figure.month} in base {figure.base_year}: {index} ({provenance})")
    out.print(f"base year: {done.base_year_rule}", markup=False)
