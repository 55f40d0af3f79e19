"""`belref serve` and `belref migrate`: what runs the service."""

import click

from entrypoints.cli.commands import Command, err, out, refusal
from entrypoints.cli.opening import make_container
from entrypoints.lifecycle import NotStartedError
from entrypoints.server import serve as serve_http
from entrypoints.settings import InvalidSettingsError, load_settings


@click.command(cls=Command)
def serve() -> None:
    """Serve HTTP until SIGTERM or Ctrl-C."""
    try:
        serve_http(load_settings())
    except NotStartedError as error:
        raise refusal(error) from error


@click.command(cls=Command)
def migrate() -> None:
    """Bring the database of MIGRATION_DSN up to the schema of this version."""
    settings = load_settings()
    if settings.migration_dsn is None:
        raise InvalidSettingsError("MIGRATION_DSN is not set: it names the database and the role that owns its tables")
    with err.status("migrating ..."):
        applied = make_container(settings).migrate()
    for migration in applied:
        out.print(f"applied {migration}")
    if not applied:
        out.print("Nothing to do.")
