"""Statbel as the source of figures: its open data first, the views of be.STAT when that fails."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TypeAlias

import httpx2
import stamina

from adapters.statbel.archive import unpack
from adapters.statbel.formats import UNNAMED_BASE, parse_table, parse_view
from adapters.statbel.http import Answer, Source, Transient, ask
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure, Publication
from domain.health_index.table import IndexTable
from domain.health_index.verification import establish_base, unheard_of, verify
from domain.ports import HealthIndexProvider

_NAME = "statbel"

Failure: TypeAlias = SourceUnavailable | SourceRejected

Listener: TypeAlias = Callable[[str | None, Sequence[Failure]], None]
"""Is told of each reading: the name of the source that answered, if one did, and why those before it did not."""


def nobody(answered_by: str | None, failures: Sequence[Failure]) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How many attempts a transient failure gets in all, and the waits between them, in seconds.

    The waits double from `wait_initial`, with up to `wait_jitter` on top, and never exceed `wait_max`.
    """

    attempts: int = 3
    wait_initial: float = 0.5
    wait_jitter: float = 0.5
    wait_max: float = 5.0


_PATIENT = Retries()


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a source said when it was last believed, before an unnamed base year was established."""

    figures: list[Figure]
    conditions: Mapping[str, str]


_NEVER = _Reading([], {})


class StatbelHealthIndexProvider(HealthIndexProvider):
    """Reads Statbel; what it gives has been verified."""

    answered_by: str | None = None
    """Which source gave the last publication; None before the first one and after a failure."""

    failures: tuple[Failure, ...] = ()
    """Why the sources that were asked before it did not."""

    told_time: datetime | None = None
    """The time that Statbel's server told with the last whole answer, in whole seconds."""

    def __init__(
        self,
        open_data_url: str,
        view_urls: Sequence[str],
        clock: Callable[[], datetime],
        *,
        timeout: float,
        retries: Retries = _PATIENT,
        listener: Listener = nobody,
        transport: httpx2.AsyncBaseTransport | None = None,
        make_client: Callable[..., httpx2.AsyncClient] = httpx2.AsyncClient,
    ) -> None:
        """Open nothing yet.

        `clock` gives aware datetimes; `timeout` is in seconds and holds for each attempt as a whole; `transport` takes
        the place of the network, and is closed with this; `make_client` takes the arguments of the driver's own client.

        :raises ValueError: for an address that is not one of http or https
        """
        self._sources = (
            Source.at(open_data_url, "statbel open data", "application/zip, */*;q=0.5", _parse_open_data),
            *(
                Source.at(url, f"be.STAT view {number}", "application/json, */*;q=0.5", parse_view)
                for number, url in enumerate(view_urls, start=1)
            ),
        )
        self._clock = clock
        self._timeout = timeout
        self._retry = stamina.AsyncRetryingCaller(
            attempts=retries.attempts,
            timeout=None,
            wait_initial=retries.wait_initial,
            wait_jitter=retries.wait_jitter,
            wait_max=retries.wait_max,
        ).on(Transient)
        self._transport, self._make_client = transport, make_client
        self._client: httpx2.AsyncClient | None = None
        self._closed = False
        self._listener = listener
        self._readings: dict[Source, _Reading] = {}
        self._held_back: IndexTable = IndexTable()

    async def publication(self, known: IndexTable) -> Publication:
        """What the first source says that answers and is believed.

        :raises SourceRejected: when all fail and at least one answered; the detail has the reason of every source
        :raises SourceUnavailable: when none answers; the reason is that of every source
        """
        failures: list[Failure] = []
        for source in self._sources:
            try:
                figures = await self._read(source, known)
            except (SourceUnavailable, SourceRejected) as error:
                failures.append(error)
            else:
                self._tell(source.name, failures)
                return Publication(tuple(figures), self._clock(), _NAME)
        self._tell(None, failures)
        raise _summary(failures)

    def _tell(self, answered_by: str | None, failures: Sequence[Failure]) -> None:
        self.answered_by, self.failures = answered_by, tuple(failures)
        self._listener(answered_by, self.failures)

    async def forget(self) -> None:
        self._readings.clear()  # so that all of it is sent next time

    async def aclose(self) -> None:
        """Close the connections; from then on no source answers."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _read(self, source: Source, known: IndexTable) -> list[Figure]:
        before = self._readings.get(source, _NEVER)
        try:
            answer = await self._retry(self._ask, source, before.conditions)
        except Transient as failure:
            raise SourceUnavailable(source.name, str(failure)) from failure
        try:
            # Elsewhere than in the event loop, which has requests to answer meanwhile.
            reading, figures = await asyncio.to_thread(_believe, answer, before, source, known, self._clock())
            self._hold_back(figures, known, source)
        except SourceRejected:
            self._readings.pop(source, None)  # so that all of it is sent next time
            raise
        self._readings[source] = reading
        return figures

    def _hold_back(self, figures: Sequence[Figure], known: IndexTable, source: Source) -> None:
        """Wait for a second reading, of this source or of another, before a base year without any past is believed."""
        strange = unheard_of(figures, known)
        given = [figure for figure in figures if figure.base_year in strange]
        before = [self._held_back.published(figure.month, figure.base_year) for figure in given]
        again = [figure for figure, held in zip(given, before, strict=True) if held is not None]
        if strange and (not again or any(f.value != h.value for f, h in zip(given, before, strict=True) if h)):
            self._held_back = IndexTable(given)
            what = f"nobody has heard of base {', '.join(map(str, sorted(strange)))}"
            reason = f"{what}, and no known figure comes with it: held back until a second reading says the same"
            raise SourceRejected(source.name, Rejection.UNCONFIRMED, reason)

    async def _ask(self, source: Source, conditions: Mapping[str, str]) -> Answer | None:
        answer = await ask(self._opened(), source, conditions, self._timeout)
        self.told_time = None if answer is None else answer.sent_at
        return answer

    def _opened(self) -> httpx2.AsyncClient:
        if self._closed:
            raise SourceUnavailable(_NAME, "the connection was closed")
        if self._client is None:
            # No time-outs of the driver: they count from byte to byte, and the attempt as a whole is timed already.
            self._client = self._make_client(
                transport=self._transport,
                headers={"User-Agent": f"belref/{version('belref')} (+self-hosted Belgian health index)"},
                timeout=None,
            )
        return self._client


def _parse_open_data(content: bytes, source: str) -> list[Figure]:
    return parse_table(unpack(content, source), source)


def _believe(
    answer: Answer | None, before: _Reading, source: Source, known: IndexTable, now: datetime
) -> tuple[_Reading, list[Figure]]:
    """What was read, or read before when there is no new answer, and its figures, verified and with a base year."""
    reading = before if answer is None else _Reading(source.parse(answer.content, source.name), answer.conditions)
    figures = reading.figures
    if any(figure.base_year == UNNAMED_BASE for figure in figures):
        figures = establish_base(figures, known, source.name)
    verify(figures, known, source.name, now)
    return reading, figures


def _summary(failures: Sequence[Failure]) -> Failure:
    """One error for all of them. That an answer was not believed tells more than that there was none."""
    if len(failures) == 1:
        return failures[0]
    reasons = "; ".join(map(str, failures))
    for failure in failures:
        if isinstance(failure, SourceRejected):
            return SourceRejected(_NAME, failure.rejection, reasons)
    return SourceUnavailable(_NAME, reasons)
