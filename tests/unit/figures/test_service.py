"""The health index as it is kept: what the history holds, and what a reading adds."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds.kept_figures import (
    CORRECTED,
    DAY,
    JULY,
    KNOWN,
    SECOND,
    SEPTEMBER,
    START,
    Clock,
    Source,
    Store,
    WithHistory,
    figure_then,
    make,
    values,
)

from domain.errors import SourceRejected, SourceUnavailable, StorageUnavailable
from domain.health_index.figures import Correction
from domain.ports import Sighting
from domain.use_cases.health_index import HealthIndexService


class TestLoad(WithHistory):
    async def test_what_is_bundled_is_put_into_an_empty_history_as_of_its_days_of_publication(
        self, index: HealthIndexService, store: Store
    ) -> None:
        assert [(s.figure, s.source) for s in await store.sightings()] == [(f, "snapshot") for f in KNOWN]
        assert [s.seen_at.date().isoformat() for s in await store.sightings()] == [
            "2024-06-26",  # the evening before in UTC
            "2024-07-29",
            "2024-08-28",
        ]

    async def test_it_is_put_there_once(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        clock.now += DAY
        await index.load()
        await make(source, store, clock).load()
        assert len(await store.sightings()) == len(KNOWN)

    async def test_it_is_never_recorded_over_what_the_history_knows(
        self, source: Source, store: Store, clock: Clock
    ) -> None:
        seen = Sighting(CORRECTED, START - DAY, "statbel")
        await store.record([seen])
        index = make(source, store, clock)
        await index.load()
        assert [s for s in await store.sightings() if s.figure.month == JULY] == [seen]
        assert values(index) == {"2024-06": "132.70", "2024-07": "133.57", "2024-08": "133.22"}

    async def test_the_history_outlives_the_source_and_the_bundle(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        source.figures = (*KNOWN, SEPTEMBER)
        clock.now += 20 * DAY
        await index.refresh()
        source.failure = SourceUnavailable("statbel", "gone")
        restarted = make(source, store, clock, KNOWN[:1])
        assert values(restarted) == {"2024-06": "132.70"}
        await restarted.load()
        assert values(restarted) == values(index)
        assert restarted.last_change() == index.last_change() == clock.now

    async def test_without_the_store_what_is_bundled_stays_known(
        self, source: Source, store: Store, clock: Clock
    ) -> None:
        store.down = True
        index = make(source, store, clock)
        with pytest.raises(StorageUnavailable):
            await index.load()
        with pytest.raises(StorageUnavailable):
            await index.follow()
        assert len(values(index)) == len(KNOWN)


class TestFollow(WithHistory):
    async def test_a_correction_by_one_reaches_the_other(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        other = make(source, store, clock)
        await other.load()
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2])
        await index.refresh()
        assert values(other)["2024-07"] == "133.56"
        await other.follow()
        assert values(other) == values(index)
        assert values(other)["2024-07"] == "133.57"
        assert (figure_then(other, START - SECOND), figure_then(other, START)) == ("133.56", "133.57")

    async def test_what_is_bundled_stays_known_though_it_was_never_loaded(
        self, source: Source, store: Store, clock: Clock
    ) -> None:
        await store.record([Sighting(SEPTEMBER, START, "statbel"), Sighting(CORRECTED, START, "statbel")])
        index = make(source, store, clock)
        await index.follow()
        assert values(index) == {"2024-06": "132.70", "2024-07": "133.57", "2024-08": "133.22", "2024-09": "132.95"}

    async def test_the_newest_sighting_says_when_the_source_was_read_unless_that_is_known_to_be_later(
        self, source: Source, store: Store, clock: Clock
    ) -> None:
        index = make(source, store, clock)  # bundled a day ago
        await store.record([Sighting(CORRECTED, START - 10 * DAY, "statbel")])
        await index.follow()
        known = index.now().freshness
        assert (known.as_of, known.source) == (START - DAY, "snapshot")
        await store.record([Sighting(SEPTEMBER, START - SECOND, "statbel")])
        await index.follow()
        known = index.now().freshness
        assert (known.as_of, known.source) == (START - SECOND, "statbel")

    async def test_an_empty_history_takes_nothing_away(self, source: Source, store: Store, clock: Clock) -> None:
        index = make(source, store, clock)
        await index.follow()
        assert len(values(index)) == len(KNOWN)

    async def test_what_could_not_be_recorded_stays_known(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        source.figures = (*KNOWN, SEPTEMBER)
        clock.now += 20 * DAY
        store.read_only = True
        await index.refresh()
        await index.follow()
        assert values(index)["2024-09"] == "132.95"


class TestRefresh(WithHistory):
    async def test_it_tells_what_is_new_and_what_changed(self, index: HealthIndexService, source: Source) -> None:
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2], SEPTEMBER)
        refresh = await index.refresh()
        assert (refresh.added, refresh.changed, refresh.stored) == (
            (SEPTEMBER,),
            (Correction(KNOWN[1], CORRECTED),),
            True,
        )
        again = await index.refresh()
        assert (again.added, again.changed, again.stored) == ((), (), True)

    async def test_every_version_is_kept_with_when_and_from_where(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2])
        await index.refresh()
        clock.now += DAY
        source.figures = KNOWN
        await index.refresh()
        kept = [(str(s.figure.value), s.source) for s in await store.sightings() if s.figure.month == JULY]
        assert kept == [("133.56", "snapshot"), ("133.57", "statbel"), ("133.56", "statbel")]
        instants = [START - SECOND, START, START + DAY - SECOND, START + DAY]
        assert [figure_then(index, instant) for instant in instants] == ["133.56", "133.57", "133.57", "133.56"]

    async def test_figures_that_could_not_be_stored_are_known_and_stored_with_the_next_reading(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2])
        store.down = True
        assert (await index.refresh()).stored is False
        clock.now += DAY
        assert (await index.refresh()).stored is False
        assert values(index)["2024-07"] == "133.57"
        store.down = False
        assert len(await store.sightings()) == len(KNOWN)
        refresh = await index.refresh()
        assert (refresh.changed, refresh.stored) == ((), True)
        (added,) = (await store.sightings())[len(KNOWN) :]
        assert added == Sighting(CORRECTED, START, "statbel")  # seen when it was seen, not when it was stored
        await index.refresh()
        assert len(await store.sightings()) == len(KNOWN) + 1

    async def test_what_is_not_believed_changes_nothing(
        self, index: HealthIndexService, source: Source, store: Store
    ) -> None:
        before = index.now().table, index.last_change(), index.now().freshness
        source.figures = (*KNOWN, replace(SEPTEMBER, value=Decimal("160.00")))
        with pytest.raises(SourceRejected):
            await index.refresh()
        source.failure = SourceUnavailable("statbel", "gone")
        with pytest.raises(SourceUnavailable):
            await index.refresh()
        assert (index.now().table, index.last_change(), index.now().freshness) == before
        assert len(await store.sightings()) == len(KNOWN)

    async def test_a_reading_is_not_newer_than_now_nor_the_known_one_older_than_it_was(
        self, index: HealthIndexService, source: Source
    ) -> None:
        source.age = -DAY  # the clock of another replica runs ahead
        await index.refresh()
        assert (index.now().freshness.as_of, index.now().freshness.source) == (START, "statbel")
        source.age = 10 * DAY
        await index.refresh()
        assert index.now().freshness.as_of == START
