"""Releases of risk tables, their log and what differs between two: in tables for people, and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from domain.risk.comparison import Comparison, in_percent
from domain.risk.releases import Draft, Event, Release, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskTable
from entrypoints.cli.commands import cell, encodable

RANGES_SHOWN = 40
_NARROW = 22  # characters on one line, where a table has four columns and fits 80
_INSTANT = len("2026-01-01T00:00:00.000000Z")

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables of a comparison: what it is called, and what JSON says of it (null for no table)."""

    name: str
    body: Json | None

    @classmethod
    def of(cls, release: Release | None, history: ReleaseHistory) -> "Side":
        """A release, or nothing at all where none is in service."""
        if release is None:
            return cls("nothing: no release is in service", None)
        standing = history.standing(release.id)
        return cls(
            f"{release.id} ({cell(release.label)}, {standing.status})", {"release": release.id, "label": release.label}
        )

    @classmethod
    def of_file(cls, draft: Draft, name: str) -> "Side":
        """A file that is not loaded, or not as this."""
        return cls(str(cell(name)), {"file": encodable(name), "source_sha256": draft.source_sha256})


@dataclass(frozen=True, slots=True)
class Difference:
    """What leads from one table to another."""

    before: Side
    after: Side
    comparison: Comparison

    def for_people(self, *, all_ranges: bool = False) -> list[RenderableType]:
        """For people: ranges, no more than 40 of them unless all are asked for, and counts for each factor."""
        heading = f"from {self.before.name}\nto   {self.after.name}"
        changes, comparison = self.comparison.changes, self.comparison
        if not changes:
            return [heading, "No zipcode changes."]
        lines = [str(change) for change in (changes if all_ranges else changes[:RANGES_SHOWN])]
        if len(changes) > len(lines):
            lines.append(f"... and {len(changes) - len(lines):,} more (--all shows them)")
        counts = Table("risk factor", *(_right(name) for name in ("before", "after", "gained", "lost")))
        for factor, change in comparison.by_factor().items():
            figures = (change.before, change.after, change.gained, change.lost)
            counts.add_row(factor.value, *(f"{figure:,}" for figure in figures))
        touched = comparison.added + comparison.removed + comparison.changed
        summary = (
            f"{touched:,} of {comparison.covered:,} zipcodes change ({in_percent(comparison.share)}): "
            f"{comparison.added:,} added, {comparison.removed:,} removed, {comparison.changed:,} with another factor."
        )
        return [heading, "\n".join(lines), counts, summary]

    def body(self) -> Json:
        """As JSON, with every range; `share` is in percent."""
        comparison = self.comparison
        return {
            "from": self.before.body,
            "to": self.after.body,
            "equal": not comparison.changes,
            "added": comparison.added,
            "removed": comparison.removed,
            "changed": comparison.changed,
            "covered": comparison.covered,
            "share": comparison.percent,
            "by_factor": {
                factor.value: {
                    "before": change.before,
                    "after": change.after,
                    "gained": change.gained,
                    "lost": change.lost,
                }
                for factor, change in comparison.by_factor().items()
            },
            "items": [
                {
                    "first": change.first,
                    "last": change.last,
                    "before": change.before,
                    "after": change.after,
                    "zipcodes": change.zipcodes,
                }
                for change in comparison.changes
            ],
            "total": len(comparison.changes),
        }


def _right(name: str) -> Column:
    return Column(name, justify="right")


def instant(at: datetime | None, *, exact: bool = False) -> str:
    """As RFC 3339, in UTC; `exact` to the microsecond, so that it can be asked about with `--as-of`."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="microseconds" if exact else "seconds").replace("+00:00", "Z")


def in_numbers(counts: Mapping[RiskFactor, int], ranges: int) -> str:
    """Such as `164 ranges, 6,968 zipcodes (A 3,560, B 2,565, C 843)`."""
    each = ", ".join(f"{factor} {count:,}" for factor, count in counts.items())
    total = sum(counts.values())
    return f"{ranges:,} range{'' if ranges == 1 else 's'}, {total:,} zipcode{'' if total == 1 else 's'} ({each})"


def contents(table: RiskTable) -> Table:
    """How many ranges and zipcodes each factor has."""
    shown = Table("risk factor", _right("ranges"), _right("zipcodes"))
    for factor, count in table.counts().items():
        ranges = sum(item.factor is factor for item in table.ranges)
        shown.add_row(factor.value, f"{ranges:,}", f"{count:,}")
    shown.add_row("all", f"{len(table.ranges):,}", f"{sum(table.counts().values()):,}")
    return shown


def draft_body(draft: Draft) -> Json:
    """A table that is not loaded yet."""
    counts = draft.table.counts()
    return {
        "label": draft.label,
        "source_sha256": draft.source_sha256,
        "table_sha256": draft.table.digest,
        "ranges": len(draft.table.ranges),
        "zipcodes": sum(counts.values()),
        "counts": counts,
    }


def release_body(release: Release, history: ReleaseHistory) -> Json:
    """A release and where it stands."""
    standing = history.standing(release.id)
    return {
        "id": release.id,
        "number": release.number,
        "status": standing.status,
        "label": release.label,
        "source_sha256": release.source_sha256,
        "table_sha256": release.table_sha256,
        "ranges": release.ranges,
        "zipcodes": sum(release.counts.values()),
        "counts": release.counts,
        "created_at": release.created_at,
        "created_by": release.created_by,
        "activated_at": standing.activated_at,
        "retired_at": standing.retired_at,
    }


def releases_table(history: ReleaseHistory) -> Table:
    """Every release, in the order in which they were loaded, in 80 columns: what is longer is folded, never cut."""
    shown = Table("release", "zipcodes", "in service", show_lines=True)
    shown.add_column("loaded, by, label", width=_NARROW, overflow="fold")
    for release in history.releases:
        standing = history.standing(release.id)
        counts = [f"{factor} {count:,}" for factor, count in release.counts.items()]
        until = "" if standing.retired_at is None else f"to {instant(standing.retired_at)}"
        loaded = (instant(release.created_at), cell(release.created_by), cell(release.label))
        shown.add_row(
            f"{release.id}\n{standing.status}",
            "\n".join(counts),
            f"{instant(standing.activated_at)}\n{until}",
            Text("\n").join(Text(each) if isinstance(each, str) else each for each in loaded),
        )
    return shown


def event_body(event: Event) -> Json:
    """A line of the log."""
    return {
        "number": event.number,
        "at": event.at,
        "kind": event.kind,
        "release": event.release,
        "by": event.by,
        "forced": event.forced,
        "withdrawn": [{"first": each.first, "last": each.last, "risk_factor": each.factor} for each in event.withdrawn],
    }


def log_table(events: Sequence[Event]) -> Table:
    """Lines of the log, oldest first, in 80 columns."""
    shown = Table(_right("number"), show_lines=True)
    shown.add_column("at, by", width=_INSTANT, overflow="fold")
    shown.add_column("what")
    shown.add_column("release")
    for event in events:
        what = event.kind.replace("_", " ") + (", forced" if event.forced else "")
        at = Text(instant(event.at, exact=True)).append("\n").append_text(cell(event.by))
        shown.add_row(f"{event.number}", at, what, event.release)
    return shown
