"""`belref serve` and `belref migrate`: what runs the service."""

import click
import msgspec

from entrypoints.cli.commands import Command, err, out, refusal
from entrypoints.cli.opening import make_container
from entrypoints.lifecycle import NotStartedError
from entrypoints.server import serve as serve_http
from entrypoints.settings import InvalidSettingsError, load_settings


@click.command(cls=Command)
@click.option("--host", metavar="ADDRESS", help="Where to listen, in place of HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="In place of PORT; 0 for any that is free.")
def serve(host: str | None, port: int | None) -> None:
    """Serve HTTP until SIGTERM or Ctrl-C."""
    settings = load_settings()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        serve_http(msgspec.structs.replace(settings, **given))
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
