"""What the servers that the settings name say: Postgres, Redis, Statbel, and the risk table in the store."""

from collections.abc import Sequence
from datetime import datetime

from adapters.postgres.inspection import ServerFacts
from domain.errors import SourceRejected, SourceUnavailable, TechnicalError
from domain.health_index.figures import Month
from domain.risk.releases import ReleaseHistory
from entrypoints.checks import WHAT_TO_DO, Check, Condition
from entrypoints.container import SAMPLE_LABEL
from entrypoints.doctor.findings import Finding, failed, ok, skipped, warning
from entrypoints.settings import Settings, Store

BESIDE_POOL = 3
"""Connections of a service beside its pool: two that listen, and one that holds the turn to read Statbel."""

_MIGRATE = "set MIGRATION_DSN, for the role that owns the tables, and run: belref migrate"
_ADVICE = (  # words of a reason, and what to do
    ("password authentication", "correct the user and the password in DB_DSN"),
    ("no pg_hba.conf entry", "let pg_hba.conf of Postgres admit this role from this machine"),
    ("role ", "make the role, or correct it in DB_DSN (docs/first-hour.md)"),
    ("database ", "make the database, or correct its name in DB_DSN (docs/first-hour.md)"),
    ("refused", "start Postgres, or correct host and port in DB_DSN"),
    ("resolve", "correct the host in DB_DSN"),
    ("DSN", "write DB_DSN=postgresql://user:password@host:port/database"),
    ("connection left", "raise max_connections of Postgres, or lower DB_POOL_SIZE"),
)


def postgres_away(reason: str) -> Finding:
    """Postgres cannot be asked; `reason` is in its own words."""
    advice = next((what for words, what in _ADVICE if words in reason), "see whether it runs, and correct DB_DSN")
    return failed("postgres", reason, advice)


def postgres_findings(facts: ServerFacts, settings: Settings) -> list[Finding]:
    """What Postgres says of itself, of its tables, and of the service's role."""
    server = f"Postgres {facts.version}, as {facts.role}"
    if facts.read_only:
        advice = "let DB_DSN name the server that writes, such as with target_session_attrs=read-write"
        found = [warning("postgres", f"{server}, is read-only: neither releases nor figures can be kept", advice)]
    else:
        found = [ok("postgres", server)]
    return [*found, _schema(facts), _rights(facts), _connections(facts, settings)]


def _schema(facts: ServerFacts) -> Finding:
    if not facts.missing:
        return ok("schema", f"{facts.applied[-1]} is applied, the last of this version")
    if not facts.applied:
        return failed("schema", f"no table of belref is there; {facts.missing[-1]} is expected", _MIGRATE)
    return failed("schema", f"it is at {facts.applied[-1]}, and {', '.join(facts.missing)} is missing", _MIGRATE)


def _rights(facts: ServerFacts) -> Finding:
    if not facts.applied:
        return skipped("rights", "there is no table to have rights on")
    if facts.lacking:
        advice = f'run as the owner or an administrator: GRANT belref_service TO "{facts.role}"'
        return failed("rights", f"{facts.role} may not {', '.join(facts.lacking)}", advice)
    if facts.superuser or facts.owner:
        what = "is a superuser" if facts.superuser else "owns the tables"
        advice = "let DB_DSN name a role that is a member of belref_service and nothing else"
        return warning("rights", f"{facts.role} {what}: the service needs to read and add rows alone", advice)
    return ok("rights", f"{facts.role} reads and adds rows, and owns no table")


def _connections(facts: ServerFacts, settings: Settings) -> Finding:
    needed = settings.db_pool_size + BESIDE_POOL
    detail = f"each replica takes up to {needed} of {facts.connections}, room for {facts.connections // needed}"
    detail += f"; {facts.in_use} in use now"
    advice = "lower DB_POOL_SIZE, or raise max_connections of Postgres"
    if needed > facts.connections:
        return failed("connections", detail, advice)
    if needed > facts.connections - facts.in_use:
        return warning("connections", detail, advice)
    return ok("connections", detail)


def risk_table_finding(history: ReleaseHistory, settings: Settings, now: datetime) -> Finding:
    """The release in service in a store that lasts."""
    if not history.activations:
        beginning = "the sample" if settings.risk_table_file is None else f"{settings.risk_table_file}"
        load = "run: belref risk load FILE --activate"
        if settings.run_seeder:
            return warning("risk_table", f"none is in service; belref serve begins with {beginning}", load)
        return failed("risk_table", "none is in service, and RUN_SEEDER=false puts none there", load)
    release, since = history.active, history.activations[-1].at
    days = (now - since).days
    age = "today" if days == 0 else f"{days:,} day{'' if days == 1 else 's'} ago"
    detail = f"{release.id} ({release.label}), in service since {since:%Y-%m-%d} ({age})"
    return _sample(detail) if release.label == SAMPLE_LABEL else ok("risk_table", detail)


def unkept_table_finding(label: str, zipcodes: int) -> Finding:
    """The table that a service without a store answers from."""
    detail = f"{label}, {zipcodes:,} zipcodes, in memory"
    return _sample(detail) if label == SAMPLE_LABEL else ok("risk_table", detail)


def _sample(detail: str) -> Finding:
    advice = "run: belref risk load FILE --activate (with DATA_DIR or DB_DSN), or set RISK_TABLE_FILE"
    return warning("risk_table", f"{detail}: the sample, whose factors are invented", advice)


def unread_table_finding(reason: str, store: Store) -> Finding:
    """The store that keeps the table cannot be read."""
    if store is Store.POSTGRES:
        return skipped("risk_table", f"not read: {reason}")
    return failed("risk_table", reason, "see docs/risk-tables.md, and docs/backup.md for the way back to a copy")


def redis_finding(check: Check) -> Finding:
    """What `/health` says of Redis, for whoever has not started the service yet."""
    if check.status is Condition.UP:
        return ok("redis", check.detail)
    advice = "start Redis, or correct REDIS_URL; without it, Statbel's answers are not shared and not kept"
    if "Auth" in check.detail or "Permission" in check.detail:
        advice = "correct the user and the password in REDIS_URL"
    return failed("redis", f"it does not answer as it should: {check.detail}", advice)


def statbel_finding(answered_by: str | None, latest: Month, known: Month, before: Sequence[TechnicalError]) -> Finding:
    """A reading that was believed; `before` are the failures of the sources that were asked first."""
    detail = f"{answered_by} answered: figures up to {latest}, and those known here go up to {known}"
    if before:
        advice = "correct STATBEL_OPEN_DATA_URL and STATBEL_VIEW_URLS, if that lasts"
        return warning("statbel", f"{detail}; asked before: {'; '.join(map(str, before))}", advice)
    return ok("statbel", detail)


def statbel_away(failure: TechnicalError, sources: Sequence[TechnicalError]) -> Finding:
    """No source was believed, with the failure of each. The service answers from what it knows meanwhile."""
    if isinstance(failure, SourceRejected):
        advice = WHAT_TO_DO.get(failure.rejection, "what is known is answered on; compare with statbel.fgov.be")
        return warning("statbel", str(failure), advice)
    advice = (
        "let this machine reach statbel.fgov.be and bestat.statbel.fgov.be (HTTPS_PROXY is heeded), or set "
        "HEALTH_INDEX_SOURCE=snapshot to answer from what is bundled"
    )
    reasons = {each.reason for each in sources if isinstance(each, SourceUnavailable)}
    same = len(sources) > 1 and len(reasons) == 1
    detail = f"none of {len(sources)} sources answers: {reasons.pop()}" if same else str(failure)
    return warning("statbel", detail, advice)
