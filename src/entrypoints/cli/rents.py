"""`belref rent` and `belref place`: what a lease may ask, and by whose law."""

import asyncio
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import click
from rich.table import Table

from domain.clock import today
from domain.leases.certificates import EnergyLabel
from domain.leases.lawful import Lease, RentSchedule, lawful_rent, rent_schedule
from domain.leases.reasons import conditions_of, energy_rule, inferred_of
from domain.leases.rent import Region, not_included
from domain.risk.tables import Zipcode
from domain.use_cases.health_index import IndexView
from entrypoints.cli.batch import Batch, file_option
from entrypoints.cli.commands import out, print_json, show
from entrypoints.cli.indexations import Question, print_receipt
from entrypoints.cli.opening import known_figures, make_container
from entrypoints.cli.values import AMOUNT, ZIPCODE, json_option
from entrypoints.http.health_index.receipts import raw_amount
from entrypoints.http.rents.cases import LABELS, LeaseCase, RentCase, naming_fields, read_lease
from entrypoints.http.rents.municipalities import place_body
from entrypoints.http.rents.receipts import RentBody, rent_receipt
from entrypoints.http.rents.schedules import schedule_body, schedule_lines
from entrypoints.settings import load_settings

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(cls=Question)
@click.argument("amount", metavar="RENT", type=AMOUNT, required=False)
@click.option("--region", type=click.Choice([r.value for r in Region]), help="Where the home lies.")
@click.option("--zipcode", metavar="ZIPCODE", type=ZIPCODE, help="The zipcode of the home, in place of its region.")
@click.option("--signed-on", type=_DAY, help="When the lease was signed.")
@click.option("--starts-on", type=_DAY, help="When it entered into force.")
@click.option("--energy-label", type=click.Choice(LABELS), help="The label of the energy certificate at hand.")
@click.option(
    "--rent-before",
    metavar="EURO",
    type=AMOUNT,
    help="The rent really paid before the anniversary in the restriction year; for Flanders alone.",
)
@click.option("--on", type=_DAY, help="The day asked about, the last one of a schedule; otherwise today.")
@click.option("--schedule", "every", is_flag=True, help="The rents from every anniversary on.")
@click.option("--csv", "as_csv", is_flag=True, help="A schedule as comma-separated values.")
@file_option
@json_option
def rent(
    amount: Decimal | None,
    region: str | None,
    zipcode: Zipcode | None,
    signed_on: datetime | None,
    starts_on: datetime | None,
    energy_label: str | None,
    rent_before: Decimal | None,
    on: datetime | None,
    file: Path | None,
    *,
    every: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """What a lease of RENT euro may ask after its latest anniversary.

    With --file, many: columns rent, signed_on, starts_on, region or zipcode, energy_label, rent_before, on. CSV out, or
    with --json one object on each line.
    """
    if file is not None:
        if amount is not None or every:
            raise click.UsageError("give RENT, or --file with rents in it; --schedule is for one lease")
        given = {
            "region": region,
            "zipcode": zipcode,
            "signed_on": signed_on and signed_on.date(),
            "starts_on": starts_on and starts_on.date(),
            "energy_label": energy_label,
            "rent_before": rent_before,
            "on": on and on.date(),
        }
        _many().run(file, given, as_json=as_json)
        return
    if amount is None or signed_on is None or starts_on is None:
        raise click.UsageError("give RENT with --signed-on and --starts-on, or --file")
    if as_csv and (as_json or not every):
        raise click.UsageError("--csv is for --schedule, and not along with --json")
    case = LeaseCase(
        rent=raw_amount(str(amount)),
        region=None if region is None else Region(region),
        zipcode=None if zipcode is None else str(zipcode),
        signed_on=signed_on.date(),
        starts_on=starts_on.date(),
        energy_label=energy_label,
        rent_before=raw_amount(None if rent_before is None else str(rent_before)),
    )
    container = make_container(load_settings())
    lease = read_lease(container.places(), case, "query")
    view = asyncio.run(known_figures(container))
    known_at = container.uncached_index().last_change()
    day = today(container.clock()()) if on is None else on.date()
    with naming_fields("query", lease):
        if every and as_csv:
            click.echo(schedule_lines(schedule_body(view, known_at, lease, day)).replace("\r\n", "\n"), nl=False)
        elif as_json:
            print_json((schedule_body if every else rent_receipt)(view, known_at, lease, day))
        elif every:
            _print_schedule(rent_schedule(view.figure, lease, day), lease)
        else:
            _print_rent(view, lease, day)


@click.command(cls=Question)
@click.argument("number", metavar="ZIPCODE", type=ZIPCODE)
@json_option
def place(number: Zipcode, *, as_json: bool) -> None:
    """The municipalities of a zipcode, and by whose law its rents are indexed."""
    places = make_container(load_settings()).places()
    if as_json:
        print_json(place_body(places, number))
        return
    for each in places.place(number).municipalities:
        names = " / ".join(dict.fromkeys(each.name.values()))
        show(f"{number} {names} ({each.refnis}), {each.region}")


def _many() -> Batch[RentCase]:
    container = make_container(load_settings())
    places, now = container.places(), container.clock()()
    view = asyncio.run(known_figures(container))
    known_at = container.uncached_index().last_change()

    def answer(case: RentCase) -> RentBody:
        lease = read_lease(places, case, "body")
        with naming_fields("body", lease):
            return rent_receipt(view, known_at, lease, case.on or today(now))

    return Batch(RentCase, answer, ("anniversary", "indexed_rent", "ordinary_rent"))


def _print_rent(view: IndexView, lease: Lease, day: date) -> None:
    done = lawful_rent(view.figure, lease, day)
    ordinary, effect = done.ordinary, done.energy
    out.print(f"[bold]{done.rent}[/bold] from {ordinary.anniversary} on")
    if done.formula != ordinary.indexation.formula:
        steps = () if done.skipped else effect.calculation.steps
        show(*steps, done.formula, f"by the index alone it would be {ordinary.indexation.indexed}:")
    print_receipt(ordinary.indexation)
    show(ordinary.starting_month_rule, ordinary.new_month_rule)
    if done.skipped is not None:
        show(done.skipped.rule)
    show(f"energy certificate: {effect.status}. {energy_rule(effect, lease.starts_on)}")
    if effect.worst is not None:
        show(f"the worst label would leave {effect.worst.rent}: {effect.worst.formula}")
    show(*(f"to be checked: {each}" for each in conditions_of(effect)))
    show(*(text for text in (inferred_of(effect), ordinary.not_included) if text))


def _print_schedule(schedule: RentSchedule, lease: Lease) -> None:
    shown = Table("anniversary", "month", "index", "by index", "rent", "certificate")
    for each in schedule.rents:
        whole = each.ordinary
        index = f"{whole.end_index} ({whole.base_year})"
        status = f"{each.status},\nindex skip" if each.skipped else str(each.status)
        rents = f"{whole.indexed}", f"{each.rent}"
        shown.add_row(str(each.anniversary), str(whole.end.month), index, *rents, status)
    for late in schedule.pending:
        shown.add_row(str(late.anniversary), str(late.month), "", "", "", "not known yet")
    label = "none given" if lease.label is None else EnergyLabel(lease.label).value
    show(shown, f"Energy label: {label}.", not_included(lease.region, lease.signed_on))
