"""What holds for every source of published figures, whatever stands behind it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.errors import SourceUnavailable
from domain.health_index.figures import Figure, Month, Provenance
from domain.health_index.table import IndexTable
from domain.health_index.verification import verify
from domain.ports import HealthIndexProvider


def _run(base_year: int, first: Month, figures: str) -> list[Figure]:
    """A row of figures from a month on, each `value` or `value/smoothed`."""
    run = []
    for offset, pair in enumerate(figures.split()):
        value, _, smoothed = pair.partition("/")
        run.append(Figure(first.plus(offset), base_year, Decimal(value), Decimal(smoothed) if smoothed else None))
    return run


PUBLISHED: tuple[Figure, ...] = (
    *_run(1996, Month(2006, 1), "116.98 117.54 117.44 117.87 118.26 118.24 118.61 118.75"),
    *_run(
        2004,
        Month(2006, 1),
        "102.82/102.66 103.31/102.89 103.23/103.03 103.60/103.24 "
        "103.95/103.52 103.93/103.68 104.25/103.93 104.38/104.13",
    ),
    *_run(
        2013,
        Month(2006, 1),
        "85.13/85.00 85.54/85.19 85.47/85.31 85.78/85.48 86.07/85.71 86.05/85.85 86.32/86.05 86.43/86.22",
    ),
)
"""Figures of 2006 in three base years, as Statbel published them (CC BY 4.0); base 1996 has no smoothed ones."""


class HealthIndexProviderContract:
    """Inherit this in the test class of an adapter and say how one is made that publishes given figures.

    Override the fixture `provider` where it must be opened or closed.
    """

    def make_provider(self, figures: Sequence[Figure]) -> HealthIndexProvider:
        raise NotImplementedError

    @pytest.fixture
    def provider(self) -> HealthIndexProvider:
        return self.make_provider(PUBLISHED)

    async def test_every_figure_is_given_as_it_was_published(self, provider: HealthIndexProvider) -> None:
        publication = await provider.publication(IndexTable())
        assert len(publication.figures) == len(PUBLISHED)
        assert set(publication.figures) == set(PUBLISHED)
        assert {figure.provenance for figure in publication.figures} == {Provenance.PUBLISHED}

    async def test_figures_keep_their_two_decimals(self, provider: HealthIndexProvider) -> None:
        publication = await provider.publication(IndexTable())
        assert {figure.value.as_tuple().exponent for figure in publication.figures} == {-2}

    async def test_what_is_given_is_fit_to_be_taken_over(self, provider: HealthIndexProvider) -> None:
        known = IndexTable(PUBLISHED[:4])
        publication = await provider.publication(known)
        verify(publication.figures, known, publication.source, publication.as_of)
        merged, _, changed = known.merged(publication.figures)
        assert merged.version == IndexTable(PUBLISHED).version
        assert changed == []

    async def test_it_says_when_and_where_it_was_read(self, provider: HealthIndexProvider) -> None:
        publication = await provider.publication(IndexTable())
        assert publication.as_of.utcoffset() is not None
        assert 1 <= len(publication.source) <= 32

    async def test_a_second_reading_gives_the_same_figures_and_is_not_older(
        self, provider: HealthIndexProvider
    ) -> None:
        first = await provider.publication(IndexTable())
        second = await provider.publication(IndexTable(first.figures))
        assert set(second.figures) == set(first.figures)
        assert second.as_of >= first.as_of
        assert second.source == first.source

    async def test_readings_at_the_same_time_agree(self, provider: HealthIndexProvider) -> None:
        readings = await asyncio.gather(*(provider.publication(IndexTable()) for _ in range(5)))
        assert {frozenset(reading.figures) for reading in readings} == {frozenset(PUBLISHED)}

    async def test_a_caller_that_gives_up_leaves_the_source_usable(self, provider: HealthIndexProvider) -> None:
        reading = asyncio.create_task(provider.publication(IndexTable()))
        await asyncio.sleep(0)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        assert set((await provider.publication(IndexTable())).figures) == set(PUBLISHED)

    async def test_reading_leaves_what_the_caller_knows_alone(self, provider: HealthIndexProvider) -> None:
        later = [replace(figure, month=figure.month.plus(1)) for figure in PUBLISHED if figure.month == Month(2006, 8)]
        known = IndexTable([*PUBLISHED, *later])
        before = known.version
        publication = await provider.publication(known)
        assert known.version == before == IndexTable(known.figures()).version
        assert set(publication.figures) == set(PUBLISHED)

    async def test_a_source_that_has_the_latest_months_alone_gives_those(self) -> None:
        recent = [figure for figure in PUBLISHED if figure.month >= Month(2006, 7) and figure.base_year == 2013]
        publication = await self.make_provider(recent).publication(IndexTable(PUBLISHED))
        assert set(publication.figures) == set(recent)


class FallibleHealthIndexProviderContract(HealthIndexProviderContract):
    """For an adapter whose source may fail: say also how one is made whose source does not answer."""

    def make_silent_provider(self) -> HealthIndexProvider:
        raise NotImplementedError

    @pytest.fixture
    def silent_provider(self) -> HealthIndexProvider:
        return self.make_silent_provider()

    async def test_silence_is_said_in_the_words_of_the_domain(self, silent_provider: HealthIndexProvider) -> None:
        known = IndexTable(PUBLISHED)
        before = known.version
        with pytest.raises(SourceUnavailable) as caught:
            await silent_provider.publication(known)
        assert caught.type is SourceUnavailable
        assert caught.value.source
        assert caught.value.reason
        assert known.version == before

    async def test_it_goes_on_failing_in_the_same_way(self, silent_provider: HealthIndexProvider) -> None:
        for _ in range(2):
            with pytest.raises(SourceUnavailable):
                await silent_provider.publication(IndexTable())
