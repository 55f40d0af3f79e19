"""Replicas that read a new month while the store is away, and corrections that race with what is bundled."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.worlds import make_app, make_client
from tests.worlds.kept_figures import (
    AUGUST,
    CORRECTED,
    JULY,
    KNOWN,
    SECOND,
    SEPTEMBER,
    Clock,
    Source,
    Store,
    WithHistory,
    figure_then,
    make,
    values,
)

from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import Figure
from domain.ports import Sighting
from domain.use_cases.health_index import HealthIndexService

QUESTION = "/v1/indexations?amount=1000&from=2024-06&to=2024-09"


class TestTheStoreIsAway(WithHistory):
    @pytest.fixture
    async def other(self, source: Source, store: Store, clock: Clock, index: HealthIndexService) -> HealthIndexService:
        """A second replica. Both know the same when this is made."""
        other = make(source, store, clock)
        await other.load()
        return other

    async def test_a_link_issued_meanwhile_answers_the_same_for_good_from_every_replica(
        self, index: HealthIndexService, other: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        store.down = True
        source.figures = (*KNOWN, SEPTEMBER)
        clock.now += SECOND
        await index.refresh()
        clock.now += 20 * SECOND
        await other.refresh()
        async with make_client(make_app(index=index, now=clock)) as client:
            issued = (await client.get(QUESTION)).json()
            assert issued["settled"] is False
        store.down = False
        clock.now += timedelta(minutes=5)
        for replica in (other, index, other):  # the one that saw it later records it first
            await replica.refresh()
            await replica.follow()
        for replica in (index, other):
            async with make_client(make_app(index=replica, now=clock)) as client:
                kept = (await client.get(issued["permalink"])).json()
                assert kept == {**issued, "settled": True}

    async def test_before_the_store_is_back_the_other_replica_has_no_such_figure_and_nobody_keeps_that(
        self, index: HealthIndexService, other: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        store.down = True
        source.figures = (*KNOWN, SEPTEMBER)
        clock.now += SECOND
        await index.refresh()
        clock.now += timedelta(hours=3)
        await other.refresh()
        async with make_client(make_app(index=other, now=clock)) as client:
            instant = index.last_change().isoformat().replace("+00:00", "Z")
            answer = await client.get(f"/v1/health-index/latest?as_of={instant}")
            assert answer.json()["month"] == "2024-08"
            assert "max-age=86400" not in answer.headers["cache-control"]

    async def test_what_was_recorded_is_settled_again(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        store.read_only = True
        source.figures = (*KNOWN, SEPTEMBER)
        before = index.last_change()
        clock.now += SECOND
        await index.refresh()
        assert (index.now().settled, index.at(before).settled) == (False, True)
        store.read_only = False
        await index.refresh()
        assert index.now().settled

    async def test_a_version_of_its_own_tells_the_two_answers_apart(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        store.read_only = True
        source.figures = (*KNOWN, SEPTEMBER)
        clock.now += SECOND
        await index.refresh()
        async with make_client(make_app(index=index, now=clock)) as client:
            waiting = (await client.get(QUESTION)).headers["etag"]
            store.read_only = False
            await index.refresh()
            assert (await client.get(QUESTION)).headers["etag"] != waiting


class TestRaces(WithHistory):
    async def test_a_bundled_figure_that_races_with_a_correction_never_counts_as_newer(
        self, source: Source, store: Store, clock: Clock
    ) -> None:
        late = make(source, store, clock)
        bundled = await store.sightings()
        assert not bundled
        correction = Sighting(CORRECTED, clock(), "statbel")
        await store.record([correction])
        # As if this replica had looked before the correction was recorded, and records what is bundled after it.
        await store.record([Sighting(figure, clock() - timedelta(days=20), "snapshot") for figure in KNOWN])
        await late.load()
        assert values(late)[str(JULY)] == "133.57"
        assert figure_then(late, clock()) == "133.57"

    async def test_a_reading_that_is_older_than_a_correction_does_not_undo_it(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        clock.now += timedelta(hours=1)
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2])
        await index.refresh()
        clock.now += SECOND
        source.figures, source.age = KNOWN, timedelta(minutes=10)  # from a cache that another replica filled
        refresh = await index.refresh()
        assert (refresh.changed, values(index)[str(JULY)]) == ((), "133.57")
        source.age = timedelta()
        assert (await index.refresh()).changed != ()

    async def test_what_waits_here_does_not_undo_what_others_saw_later(
        self, index: HealthIndexService, source: Source, store: Store, clock: Clock
    ) -> None:
        store.read_only = True
        source.figures = (KNOWN[0], CORRECTED, KNOWN[2])
        await index.refresh()
        store.read_only = False
        newer = replace(CORRECTED, value=Decimal("133.58"))
        await store.record([Sighting(newer, clock() + SECOND, "statbel")])
        clock.now += 2 * SECOND
        await index.follow()
        assert values(index)[str(JULY)] == "133.58"


class Remembering(Source):
    """Tells whether it was asked to forget."""

    forgotten = 0

    async def forget(self) -> None:
        self.forgotten += 1


class TestRevisions(WithHistory):
    """Most of what is known differs: a mix-up, unless somebody says that Statbel has revised its series."""

    @pytest.fixture
    def source(self, clock: Clock) -> Remembering:
        return Remembering(clock)

    @pytest.fixture
    def revised(self, index: HealthIndexService, source: Remembering) -> tuple[Figure, ...]:
        months = [AUGUST.plus(-number) for number in range(8)]
        known = [Figure(month, 2013, Decimal("132.00")) for month in sorted(months)]
        index._adopt([Sighting(figure, index.last_change(), "snapshot") for figure in known])
        return tuple(replace(figure, value=Decimal("132.10")) for figure in known)

    async def test_it_is_refused_and_forgotten(
        self, index: HealthIndexService, source: Remembering, revised: tuple[Figure, ...]
    ) -> None:
        source.figures = revised
        with pytest.raises(SourceRejected) as caught:
            await index.refresh()
        assert (caught.value.rejection, source.forgotten) == (Rejection.REVISED, 1)

    async def test_it_is_taken_over_by_who_says_so(
        self, index: HealthIndexService, source: Remembering, revised: tuple[Figure, ...], clock: Clock
    ) -> None:
        source.figures = revised
        clock.now += SECOND
        refresh = await index.refresh(accept_revision=True)
        assert len(refresh.changed) == 8
        assert values(index)[str(AUGUST)] == "132.10"

    async def test_an_anchor_is_held_against_it_all_the_same(
        self, index: HealthIndexService, source: Remembering, clock: Clock
    ) -> None:
        source.figures = (Figure(AUGUST.plus(-9), 2013, Decimal("128.56")),)  # November 2023 is 128.55
        with pytest.raises(SourceRejected, match=r"Statbel published 128\.55"):
            await index.refresh(accept_revision=True)
