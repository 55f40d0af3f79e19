"""Caching of the figures' source, as a decorator on its port: whoever asks does not know that there is a cache."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import SourceUnavailable, TechnicalError
from domain.health_index.calendar import AgeLimits
from domain.health_index.figures import Figure, Month, Provenance, Publication
from domain.health_index.table import IndexTable
from domain.ports import Cache, HealthIndexProvider

_KEY = "health-index:publication:v1"  # raise the version whenever _Entry changes

_Year = Annotated[int, Meta(ge=1, le=9998)]  # limits are counted from dates of the following month
_MonthNumber = Annotated[int, Meta(ge=1, le=12)]


class _Entry(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What lies in the cache: a figure is (year, month, base year, value, smoothed)."""

    as_of: datetime
    source: str
    figures: list[tuple[_Year, _MonthNumber, int, Decimal, Decimal | None]]


_decoder = msgspec.json.Decoder(_Entry)
_encoder = msgspec.json.Encoder()


def key_of(addresses: Sequence[str]) -> str:
    """Where the answer of a source lies. It names the source by a digest, as an address may hold a password."""
    return f"{_KEY}:{sha256(','.join(addresses).encode()).hexdigest()[:16]}"


class Found(StrEnum):
    """What the cache had: an answer that is `fresh`, one that is `stale` and given all the same, one that is too old to
    be given before the source has failed, or none that can be read.
    """

    FRESH = "fresh"
    STALE = "stale"
    TOO_OLD = "too_old"
    NOTHING = "nothing"


class CachedHealthIndexProvider(HealthIndexProvider):
    """Asks the source rarely, once at a time, and gives an older answer when it fails.

    While an answer is fresh it is given as it is. While it is stale it is given at once, and a newer one is fetched in
    the background. After that, or when there is none, callers wait for one shared reading of the source; if it fails
    for a technical reason, the last answer is given as long as the limits allow.
    """

    def __init__(
        self,
        inner: HealthIndexProvider,
        cache: Cache,
        *,
        limits: Callable[[Month, datetime], AgeLimits],
        clock: Callable[[], datetime],
        addresses: Sequence[str] = (),
    ) -> None:
        """`limits` says how old an answer may be, from its latest month and the time (aware). `addresses` are those of
        the source: services that read others share the cache, and not the answers in it.
        """
        self._inner, self._cache = inner, cache
        self._limits, self._clock = limits, clock
        self._key = key_of(addresses)
        self._reading: asyncio.Task[Publication] | None = None
        self.last_failure: Exception | None = None
        """Why the last background reading failed; None when it did not."""
        self.lookups: dict[str, int] = dict.fromkeys(Found, 0)
        """How often the cache was asked, by what it had."""

    async def publication(self, known: IndexTable) -> Publication:
        last = await self._stored()
        if last is None:
            self.lookups[Found.NOTHING] += 1
            return await self._read_once(known)
        now = self._clock()
        limits = self._limits(_latest_month(last), now)
        age = now - last.as_of
        if -limits.fresh < age < limits.fresh:  # a clock that ran ahead must not make an answer fresh for ever
            self.lookups[Found.FRESH] += 1
            self.last_failure = None  # whoever read it, the source has answered since
            return last
        if age < limits.stale:
            self.lookups[Found.STALE] += 1
            _ = self._start_reading(known)
            return last
        self.lookups[Found.TOO_OLD] += 1
        try:
            return await self._read_once(known)
        except TechnicalError:
            if age < limits.last_resort:
                return last
            raise

    async def forget(self) -> None:
        await self._cache.delete(self._key)
        await self._inner.forget()

    async def aclose(self) -> None:
        """Give up a reading that is under way; to those who wait for it, the source is unavailable."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read_once(self, known: IndexTable) -> Publication:
        reading = self._start_reading(known)
        try:
            # Shielded: a caller that gives up must not take the reading away from the others.
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if reading.cancelled() and not (caller and caller.cancelling()):
                raise SourceUnavailable("The cached source", "its reading was given up") from None
            raise

    def _start_reading(self, known: IndexTable) -> asyncio.Task[Publication]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(known))
            self._reading.add_done_callback(self._reading_done)
        return self._reading

    def _reading_done(self, task: asyncio.Task[Publication]) -> None:
        self._reading = None
        if not task.cancelled():
            error = task.exception()  # asked for, so that asyncio does not complain when nobody waits
            self.last_failure = error if isinstance(error, Exception) else None

    async def _read(self, known: IndexTable) -> Publication:
        publication = await self._inner.publication(known)
        if publication.figures:
            limits = self._limits(_latest_month(publication), self._clock())
            await self._cache.set(self._key, _encode(publication), limits.last_resort)
        return publication

    async def _stored(self) -> Publication | None:
        value = await self._cache.get(self._key)
        if value is None:
            return None
        try:
            return _decode(value)
        except ValueError:
            return None  # another version or another application wrote it


def _latest_month(publication: Publication) -> Month:
    return max(figure.month for figure in publication.figures)


def _encode(publication: Publication) -> bytes:
    figures = [
        (figure.month.year, figure.month.number, figure.base_year, figure.value, figure.smoothed)
        for figure in publication.figures
    ]
    return _encoder.encode(_Entry(publication.as_of, publication.source, figures))


def _decode(value: bytes) -> Publication:
    """:raises ValueError: for anything that `_encode` does not make; msgspec's own errors are such"""
    entry = _decoder.decode(value)
    if not entry.figures or entry.as_of.tzinfo is None:
        raise ValueError("an entry without figures or without a time zone")
    numbers = (number for figure in entry.figures for number in figure[3:])
    if not all(number is None or number.is_finite() for number in numbers):
        raise ValueError("an entry with a figure that is no number")
    figures = tuple(
        Figure(Month(year, number), base_year, value, smoothed, Provenance.PUBLISHED)
        for year, number, base_year, value, smoothed in entry.figures
    )
    return Publication(figures, entry.as_of, entry.source)
