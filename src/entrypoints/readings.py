"""What came of each reading of the source: a log line when another address answers, and numbers for the metrics."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from domain.errors import SourceRejected, SourceUnavailable

log = structlog.get_logger(__name__)

NOBODY = "nobody"
UNAVAILABLE = "unavailable"


class ReadingCounts(NamedTuple):
    """Readings by the address that answered, and failures by address and kind."""

    answered: dict[str, int]
    failed: dict[tuple[str, str], int]


class Readings:
    """Listens to the source. Call it with each reading."""

    def __init__(self) -> None:
        self._answered: Counter[str] = Counter()
        self._failed: Counter[tuple[str, str]] = Counter()
        self._fallback: str | None = None

    def __call__(self, answered_by: str | None, failures: Sequence[SourceUnavailable | SourceRejected]) -> None:
        """Count a reading; `failures` are those of the addresses that were asked before the one that answered."""
        self._answered[answered_by or NOBODY] += 1
        for failure in failures:
            kind = failure.rejection.value if isinstance(failure, SourceRejected) else UNAVAILABLE
            self._failed[failure.source, kind] += 1
        if answered_by is None:
            return  # whoever asked is told why, and logs it
        fallback = answered_by if failures else None
        if fallback != self._fallback:
            if fallback is None:
                log.info("the first address answers again", answered_by=answered_by)
            else:
                log.warning("a fallback answered", answered_by=answered_by, failures=[str(each) for each in failures])
        self._fallback = fallback

    def counts(self) -> ReadingCounts:
        """What was counted so far."""
        return ReadingCounts(dict(self._answered), dict(self._failed))
