"""What the metrics say of the service at the moment when they are read."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.contracts.zipcode_repository import AUTUMN, SPRING, serve
from tests.worlds import make_index

from adapters.caching.health_index import Found
from adapters.memory import InMemoryZipcodeRepository
from domain.errors import NoActiveRelease, Rejection, SourceRejected, SourceUnavailable
from domain.risk.releases import InService
from domain.use_cases.zipcodes import RiskService
from entrypoints import conditions
from entrypoints.checks import Check, Condition
from entrypoints.container import Container
from entrypoints.lag import loop_lag_measured
from entrypoints.metrics import Metrics, exposition
from entrypoints.settings import Settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def read(metrics: Metrics) -> Callable[..., float | None]:
    """What is read of them now: a sample by its name and its labels, None where there is none."""
    body, _ = await exposition(metrics, "")
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    return lambda name, **labels: samples.get((name, *sorted(labels.items())))


def watching(collector: conditions.TableInService | conditions.Parts) -> Metrics:
    metrics = Metrics()
    metrics.watch(collector, collector.look)
    return metrics


class TestParts:
    async def test_each_part_is_in_one_condition_as_health_says(self) -> None:
        async def store() -> Check:
            return Check(Condition.DEGRADED, "gone")

        value = await read(watching(conditions.Parts({"postgres": store})))
        found = {each: value("belref_part_condition", part="postgres", condition=each) for each in Condition}
        assert found == {"UP": 0, "DEGRADED": 1, "DOWN": 0}

    async def test_a_part_that_does_not_answer_is_down_and_keeps_nobody_waiting(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def silent() -> Check:
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr(conditions, "_PATIENCE", 0)
        value = await read(watching(conditions.Parts({"postgres": silent})))
        assert value("belref_part_condition", part="postgres", condition="DOWN") == 1


class TestTableInService:
    async def test_without_a_table_the_service_is_not_ready_and_nothing_is_said_of_one(self) -> None:
        risks = RiskService(InMemoryZipcodeRepository(), lambda: NOW)
        value = await read(watching(conditions.TableInService(risks, sample="sample.csv")))
        assert value("belref_ready") == 0
        assert value("belref_risk_table_sample") is None

    async def test_it_is_named_with_the_instant_since_when_it_is_in_service(self) -> None:
        repository = InMemoryZipcodeRepository(clock=lambda: NOW)
        first = await serve(repository, AUTUMN)
        release = await serve(repository, SPRING)
        await repository.add(SPRING, "anna")  # the same table, so the same release
        metrics = watching(conditions.TableInService(RiskService(repository, lambda: NOW), sample="sample.csv"))
        value = await read(metrics)
        assert value("belref_ready") == 1
        assert value("belref_risk_table_info", release=release.id, label=release.label) == 1
        assert value("belref_risk_table_info", release=first.id, label=first.label) is None
        in_service = (await repository.history()).standing(release.id).activated_at
        assert in_service is not None
        assert value("belref_risk_table_activated_timestamp_seconds") == in_service.timestamp()
        counts = {status: value("belref_risk_releases", status=status) for status in ("staged", "active", "retired")}
        assert counts == {"staged": 0, "active": 1, "retired": 1}

    @pytest.mark.parametrize(("sample", "shown"), [(SPRING.label, 1), ("sample.csv", 0)])
    async def test_the_sample_is_known_by_its_label(self, sample: str, shown: int) -> None:
        risks = RiskService(InMemoryZipcodeRepository(SPRING), lambda: NOW)
        value = await read(watching(conditions.TableInService(risks, sample=sample)))
        assert value("belref_risk_table_sample") == shown

    async def test_a_table_that_can_no_longer_be_read_is_no_longer_claimed(self) -> None:
        class Store(InMemoryZipcodeRepository):
            down = False

            async def current(self) -> InService:
                if self.down:
                    raise NoActiveRelease
                return await super().current()

        store = Store(SPRING)
        metrics = watching(conditions.TableInService(RiskService(store, lambda: NOW), sample=""))
        assert (await read(metrics))("belref_ready") == 1
        store.down = True
        value = await read(metrics)
        assert (value("belref_ready"), value("belref_risk_table_sample")) == (0, None)


class TestRiskStore:
    async def test_a_store_in_the_process_is_never_silent(self) -> None:
        metrics = Metrics()
        metrics.watch(conditions.RiskStore(None))
        value = await read(metrics)
        assert (value("belref_risk_store_unheard_seconds"), value("belref_risk_history_refused")) == (0, 0)


class TestFigures:
    async def test_they_tell_when_they_were_read_and_what_is_expected_next(self) -> None:
        index, metrics = make_index(clock=lambda: NOW), Metrics()
        metrics.watch(conditions.Figures(index))
        value = await read(metrics)
        known = index.now().freshness
        prefix = "belref_health_index"
        assert value(f"{prefix}_read_timestamp_seconds") == known.as_of.timestamp()
        begun = datetime(2026, 7, 31, 22, tzinfo=UTC)  # the first of August in Brussels
        assert value(f"{prefix}_latest_month_timestamp_seconds") == begun.timestamp()
        expected = datetime(2026, 9, 28, 22, tzinfo=UTC)  # the 29th of September in Brussels
        assert value(f"{prefix}_next_publication_timestamp_seconds") == expected.timestamp()

    @pytest.mark.parametrize(
        ("failure", "kinds"),
        [
            (None, []),
            (SourceUnavailable("statbel", "503"), ["unavailable"]),
            (SourceRejected("statbel", Rejection.REVISED, "all of it"), ["most known figures differ"]),
        ],
    )
    async def test_the_last_failure_of_the_source_is_shown_by_its_kind_until_it_is_over(
        self, failure: SourceUnavailable | SourceRejected | None, kinds: list[str]
    ) -> None:
        index, metrics = make_index(clock=lambda: NOW), Metrics()
        metrics.watch(conditions.Figures(index))
        index.source_failure = failure
        value = await read(metrics)
        every = ["unavailable", *Rejection]
        assert [kind for kind in every if value("belref_statbel_failing", kind=kind)] == kinds


def ticks(step: float) -> Callable[[], float]:
    """A clock that is later by `step` each time that it is looked at."""
    return itertools.count(step, step).__next__


class TestLag:
    async def test_it_is_by_how_much_a_call_comes_late(self) -> None:
        metrics = Metrics()
        async with loop_lag_measured(metrics, every=0, monotonic=ticks(0.25)):
            for _ in range(20):
                await asyncio.sleep(0)
            value = await read(metrics)
        count = value("belref_event_loop_lag_seconds_count")
        assert count
        assert value("belref_event_loop_lag_seconds_sum") == 0.25 * count
        assert value("belref_event_loop_lag_seconds_bucket", le="0.1") == 0
        assert value("belref_event_loop_lag_seconds_bucket", le="0.25") == count

    async def test_nothing_goes_on_behind_the_block(self) -> None:
        metrics, looks = Metrics(), 0

        def clock() -> float:
            nonlocal looks
            looks += 1
            return 0.0

        async with loop_lag_measured(metrics, every=0, monotonic=clock):
            pass
        before = looks
        for _ in range(5):
            await asyncio.sleep(0)
        assert looks == before


class TestContainer:
    def names(self, text: str) -> Iterable[str]:
        return (line.split()[2] for line in text.splitlines() if line.startswith("# TYPE "))

    async def test_an_embedded_service_shows_all_of_it(self) -> None:
        container = Container(settings=Settings())
        await container.seeding().seed(container.draft_to_seed(), "tester")
        body, _ = await exposition(container.metrics(), "")
        assert {
            "belref_build_info",
            "belref_part_condition",
            "belref_risk_table_info",
            "belref_risk_store_unheard_seconds",
            "belref_source_cache_lookups_total",
            "belref_statbel_failing",
            "process_start_time_seconds",
        } <= set(self.names(body.decode()))
        value = await read(container.metrics())
        assert value("belref_risk_table_sample") == 1
        assert {str(each) for each in Found} == {"fresh", "stale", "too_old", "nothing"}
        assert value("belref_source_cache_lookups_total", store="memory", found="nothing") == 0

    async def test_one_of_bundled_figures_alone_has_no_cache_of_a_source(self) -> None:
        body, _ = await exposition(Container(settings=Settings(health_index_source="snapshot")).metrics(), "")
        assert "belref_source_cache_lookups_total" not in set(self.names(body.decode()))
