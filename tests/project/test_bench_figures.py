import math
from dataclasses import replace

import pytest
from benchmarks.figures import (
    CEILINGS,
    CLIENTS,
    MB,
    MEMORY,
    P99,
    SCENARIOS,
    Finding,
    Flooded,
    Results,
    Sample,
    findings,
    ratios,
)
from benchmarks.report import Spread, spread
from benchmarks.scenarios import ARGUED, BARE, FASTAPI, SERVICE
from hypothesis import given
from hypothesis import strategies as st

MOST_MEMORY = int(CEILINGS[MEMORY] * MB)

rates = st.floats(min_value=1, max_value=1e6)


def sample(subject: str = SERVICE, turn: int = 0, rate: float = 100.0, scenario: str = "hot") -> Sample:
    return Sample(
        seconds=100 / rate,
        answered=100,
        p50=0.001,
        p99=0.002,
        errors={},
        cpu={"server 0": 100 / rate, "load": 50 / rate},
        part=SCENARIOS,
        scenario=scenario,
        subject=subject,
        round=turn,
        clients=64,
        resident=100_000_000,
    )


def results(*samples: Sample) -> Results:
    return Results(seconds=1.0, rounds=5, clients=64, machine={"machine": "a good one"}, samples=list(samples))


def finding(every: list[Finding], name: str) -> Finding:
    (found,) = (each for each in every if each.name.startswith(name))
    return found


class TestSpreads:
    @given(st.lists(rates, min_size=1))
    def test_the_median_lies_between_the_lowest_and_the_highest(self, values: list[float]) -> None:
        found = spread(values)
        assert found is not None
        assert min(values) == found.low <= found.middle <= found.high == max(values)

    def test_what_is_no_number_does_not_count(self) -> None:
        assert spread([3.0, math.nan, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)

    def test_there_is_none_of_nothing(self) -> None:
        assert spread([]) is None
        assert spread([math.nan]) is None


class TestRatios:
    @given(st.lists(st.tuples(rates, rates), min_size=1, max_size=8), st.floats(min_value=0.1, max_value=10))
    def test_a_machine_that_slows_down_for_a_round_changes_no_ratio(
        self, pairs: list[tuple[float, float]], slower: float
    ) -> None:
        these = [sample(turn=turn, rate=this) for turn, (this, _) in enumerate(pairs)]
        those = [sample(BARE, turn=turn, rate=that) for turn, (_, that) in enumerate(pairs)]
        expected = ratios(these, those)
        these[0], those[0] = (replace(one, seconds=one.seconds / slower) for one in (these[0], those[0]))
        assert ratios(these, those) == pytest.approx(expected)

    def test_each_is_made_within_its_own_round_whatever_the_order(self) -> None:
        these = [sample(turn=1, rate=20), sample(turn=0, rate=10)]
        those = [sample(BARE, turn=0, rate=5), sample(BARE, turn=1, rate=80)]
        assert ratios(these, those) == pytest.approx([0.25, 2.0])

    def test_a_round_that_only_one_was_measured_in_has_no_ratio(self) -> None:
        assert ratios([sample(turn=0), sample(turn=1)], [sample(BARE, turn=1)]) == [1.0]

    def test_nothing_is_a_multiple_of_zero(self) -> None:
        (found,) = ratios([sample()], [replace(sample(BARE), answered=0)])
        assert math.isnan(found)

    def test_another_measure_can_be_compared(self) -> None:
        assert ratios([replace(sample(), p99=0.003)], [sample(BARE)], P99) == [pytest.approx(1.5)]


class TestResults:
    def test_samples_are_found_by_what_they_are_of_in_the_order_of_rounds(self) -> None:
        late, early = sample(turn=1), sample(turn=0)
        others = [sample(BARE), sample(scenario="list"), replace(early, part=CLIENTS, clients=2)]
        assert results(late, *others, early).of(SERVICE, "hot") == [early, late]

    def test_what_was_measured_beside_the_scenarios_is_found_by_subject_and_number(self) -> None:
        one, two = (replace(sample(), part=CLIENTS, clients=count) for count in (1, 2))
        bare = replace(sample(BARE), part=CLIENTS, clients=1)
        assert results(one, bare, sample(), two, one).by_clients() == {
            SERVICE: {1: [one, one], 2: [two]},
            BARE: {1: [bare]},
        }

    def test_the_cost_of_an_answer_is_the_cpu_of_all_processes_but_the_generator(self) -> None:
        both = replace(sample(), answered=90, errors={"503": 10}, cpu={"server 0": 1.0, "server 1": 2.0, "load": 9.0})
        assert both.cost == pytest.approx(0.03)


class TestFloors:
    @pytest.mark.parametrize(("ratio", "met"), [(2.01, True), (2.0, True), (1.99, False)])
    def test_a_floor_is_met_by_the_median_of_the_rounds(self, ratio: float, met: bool) -> None:  # noqa: FBT001
        rounds = [(0, 0.1), (1, ratio), (2, 5.0)]
        samples = [
            one for turn, each in rounds for one in (sample(turn=turn, rate=each * 100), sample(BARE, turn=turn))
        ]
        found = finding(findings(results(*samples)), "one hot zipcode, of bare ASGI")
        assert found.limit == 2.0
        assert found.met is met

    @pytest.mark.parametrize(("p99", "met"), [(0.002, True), (0.0021, False)])
    def test_a_tail_is_met_from_below(self, p99: float, met: bool) -> None:  # noqa: FBT001
        every = findings(results(replace(sample(), p99=p99), sample(BARE)))
        assert finding(every, "p99 of one hot zipcode, of bare").met is met

    def test_what_was_not_measured_is_neither_met_nor_missed(self) -> None:
        every = findings(results())
        assert {each.met for each in every} == {None}
        assert not any(each.short_of(0.9) for each in every)

    def test_memory_is_met_once_all_urls_were_asked(self) -> None:
        run = results()
        run.flood = [
            Flooded(0, 1, 0.0),
            Flooded(10, MOST_MEMORY, 5.0),
            Flooded(20, MOST_MEMORY - 1, 5.0),
        ]
        assert finding(findings(run, urls=21), "after all scenarios").met is None
        assert finding(findings(run, urls=20), "after all scenarios").met is True

    def test_memory_is_missed_as_soon_as_there_is_too_much(self) -> None:
        run = results()
        run.flood = [Flooded(0, 1, 0.0), Flooded(10, MOST_MEMORY + 1, 5.0), Flooded(20, 1, 5.0)]
        assert finding(findings(run, urls=21), "after all scenarios").met is False

    def test_the_floors_are_those_that_were_promised(self) -> None:
        limits = {each.name: each.limit for each in findings(results()) if each.promised}
        assert limits == {
            "one hot zipcode, of bare ASGI": 2.0,
            "all 9,000 zipcodes uniformly, of bare ASGI": 1.7,
            "zipcodes of a factor, of bare ASGI": 1.4,
            "zipcodes of a factor, gzip, of bare ASGI": 1.4,
            "zipcodes of a factor, br, of bare ASGI": 1.4,
            "/index, of bare ASGI": 2.0,
            "/v1/health-index/latest, of bare ASGI": 2.0,
            "a conditional request, 304, of bare ASGI": 2.0,
            "an indexation, another amount each time, of bare ASGI": 0.20,
            "a first look-up, table in process, of bare ASGI": 0.25,
            "a look-up on Postgres, every cache off, of bare ASGI on the same pool and query": 0.60,
            "one hot zipcode on Postgres, of the brief's shape on the same Postgres": 100,
            "one hot zipcode, of FastAPI with a dictionary": 6.0,
            "p99 of one hot zipcode, of bare ASGI's": 1.0,
            "1,000 indexations in one request, ms of CPU": 40,
            "the same beside ten clients with such batches, ms": 10,
            "from start to the first answer, seconds": 1.0,
            "after all scenarios and 1,000,000 distinct URLs, MB of memory": 120,
        }

    def test_what_is_given_up_is_a_floor(self) -> None:
        named = {each.scenario for each in findings(results()) if each.promised} | CEILINGS.keys()
        assert ARGUED.keys() <= named

    def test_hot_answers_beside_batches_are_held_against_their_ceiling_and_those_alone_are_not(self) -> None:
        beside = [
            replace(sample(turn=turn, scenario="beside"), p99=p99) for turn, p99 in enumerate((0.002, 0.003, 0.5))
        ]
        every = findings(results(replace(sample(scenario="few"), p99=0.001), *beside))
        held = finding(every, "the same beside ten clients").held
        assert held is not None
        assert held.middle == pytest.approx(3.0)
        assert finding(every, "p99 of one hot zipcode, eight clients").limit is None


class TestAllowance:
    def test_a_little_under_a_floor_is_noise(self) -> None:
        assert not Finding("", 1.0, Spread(0.91, 0.5, 2.0)).short_of(0.9)
        assert Finding("", 1.0, Spread(0.89, 0.5, 2.0)).short_of(0.9)

    def test_a_little_over_a_ceiling_is_noise(self) -> None:
        assert not Finding("", 1.8, Spread(1.99, 1.0, 3.0), ceiling=True).short_of(0.9)
        assert Finding("", 1.8, Spread(2.01, 1.0, 3.0), ceiling=True).short_of(0.9)

    def test_a_goal_and_a_floor_that_was_given_up_do_not_fail(self) -> None:
        assert not Finding("", 1.0, Spread(0.5, 0.5, 0.5), goal=True).short_of(0.9)
        assert not Finding("", 1.0, Spread(0.5, 0.5, 0.5), argued="for a reason").short_of(0.9)

    def test_a_rate_that_a_neighbour_took_is_not_a_failure(self) -> None:
        low, high = Spread(0.5, 0.5, 0.5), Spread(0.95, 0.95, 0.95)
        assert not Finding("", 1.0, low, by_cpu=high).short_of(0.9)
        assert Finding("", 1.0, low, by_cpu=low).short_of(0.9)

    def test_the_ratio_by_cpu_is_that_of_the_baseline_to_the_service(self) -> None:
        every = findings(results(sample(rate=50_000), sample(FASTAPI, rate=10_000)))
        found = finding(every, "one hot zipcode, of FastAPI").by_cpu
        assert found is not None
        assert found.middle == pytest.approx(5.0)
