"""A short run of the measurements on real servers: what they answer, and not how fast."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from benchmarks.bench import QUICK
from benchmarks.bench_report import figure_table
from benchmarks.bench_run import Bench
from benchmarks.figures import CLIENTS, Results
from benchmarks.load import Load, LoadGenerator, Request
from benchmarks.others import WITH_NGINX
from benchmarks.scenarios import BARE, CONNECTING, LITESTAR, NGINX, OF_SERVICE, POOLED, SERVICE, Scenario
from benchmarks.stage import Answer, Stage, ask_one, bare, staged

PLAN = replace(
    QUICK,
    seconds=0.1,
    rounds=1,
    warm_up=0.02,
    ask_before=False,
    clients=4,
    clients_aside=(1, 4),
    wrk_seconds=1,
    starts=1,
    urls=400,
)
_THE_SERVICES_OWN = ("x-request-id",)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


@pytest.fixture(scope="module")
def run(stage: Stage) -> Results:
    """All of it, as short as it gets."""
    results = Results(seconds=PLAN.seconds, rounds=1, clients=PLAN.clients, machine={})
    with LoadGenerator() as generator:
        bench = Bench(stage, results, generator, PLAN)
        bench.scenarios([0])
        bench.by_clients()
        bench.flood()
    return results


def answers_of(stage: Stage, scenario: Scenario) -> Mapping[str, Answer]:
    """What each subject of a scenario answers to its first request."""
    stage.set_for(scenario)
    request = scenario.requests(0)[0]
    return {subject: ask_one(stage.servers[subject].port, request) for subject in scenario.subjects}


class TestAnswers:
    def test_bare_asgi_sends_what_the_service_sends_byte_for_byte(self, stage: Stage) -> None:
        compared = 0
        for scenario in stage.scenarios:
            if scenario.subjects[0] in OF_SERVICE and BARE in scenario.beside:
                answers = answers_of(stage, scenario)
                ours, theirs = (answers[subject] for subject in scenario.subjects[:2])
                assert (theirs.status, theirs.body) == (ours.status, ours.body), scenario.title
                assert [name for name, _ in theirs.headers] == [name for name, _ in ours.headers], scenario.title
                differing = {one[0] for one, other in zip(ours.headers, theirs.headers, strict=True) if one != other}
                assert differing <= set(_THE_SERVICES_OWN), scenario.title
                compared += 1
        assert compared >= 8

    def test_the_other_baselines_send_the_same_body(self, stage: Stage) -> None:
        for scenario in stage.scenarios:
            answers = answers_of(stage, scenario)
            assert {answer.status for answer in answers.values()} == {scenario.requests(0)[0].status}, scenario.title
            assert len({answer.body for answer in answers.values()}) == 1, scenario.title

    @pytest.mark.skipif(not WITH_NGINX, reason="nginx is not installed")
    def test_nginx_sends_the_headers_and_the_body_of_the_service_and_its_own_name(self, stage: Stage) -> None:
        answers = answers_of(stage, stage.scenario("hot"))
        ours, theirs = answers[SERVICE], answers[NGINX]
        assert (theirs.status, theirs.body) == (ours.status, ours.body)
        assert {name for name, _ in theirs.headers} == {name for name, _ in ours.headers}
        differing = {name for name, value in ours.headers if theirs.header(name) != value}
        assert differing <= set(_THE_SERVICES_OWN)

    def test_bare_asgi_on_the_pool_sends_the_headers_of_the_service(self, stage: Stage) -> None:
        answers = answers_of(stage, stage.scenario("postgres")).values()
        ours, theirs = (sum(len(name) + len(value) for name, value in answer.headers) for answer in answers)
        assert ours == theirs


class TestTurns:
    def test_loads_by_turns_count_their_own_answers_in_their_own_time(self, stage: Stage) -> None:
        stage.set_for(stage.scenario("hot"))
        loads = [
            Load(port=stage.servers[BARE].port, requests=[Request("/")], clients=2, seconds=0.3),
            Load(port=stage.servers[LITESTAR].port, requests=[Request("/nowhere", 404)], clients=3, seconds=0.3),
            Load(port=stage.servers[LITESTAR].port, requests=[Request("/nowhere")], clients=1, seconds=0.3),
        ]
        with LoadGenerator() as generator:
            good, expected, bad = generator.compare(loads, part=0.1)
        assert all(measured.seconds > 0.29 for measured in (good, expected, bad))
        assert good.answered > 10
        assert good.received % good.answered == 0
        assert expected.answered > 10
        assert not expected.errors
        assert bad.answered == 0
        assert bad.errors.keys() == {"404"}
        assert 0 < good.p50 <= good.p99

    def test_each_request_is_sent_once_where_that_is_the_bound(self, stage: Stage) -> None:
        requests = [Request(f"/zipcodes/{zipcode}") for zipcode in range(1000, 1100)]
        load = Load(
            port=stage.servers[SERVICE].port, requests=requests, clients=1, seconds=20, warm_up=0, at_most=len(requests)
        )
        with LoadGenerator() as generator:
            measured = generator.measure(load)
        assert 90 <= measured.answered <= 100  # the first ones came before the window


class TestProcesses:
    def test_a_server_that_does_not_know_a_word_is_an_error_and_not_a_wait(self) -> None:
        with bare({}) as server, pytest.raises(RuntimeError, match="stopped"):
            server.exchange("no such scenario")


class TestRun:
    def test_every_scenario_was_measured_of_everybody(self, stage: Stage, run: Results) -> None:
        for scenario in stage.scenarios:
            for subject in scenario.subjects:
                (sample,) = run.of(subject, scenario.name)
                assert sample.rate > 0

    def test_all_answers_were_good(self, run: Results) -> None:
        assert {name: sample.errors for sample in run.samples if sample.errors for name in [sample.scenario]} == {}

    def test_the_answers_to_be_compared_have_the_same_size(self, stage: Stage, run: Results) -> None:
        for scenario in stage.scenarios:
            samples = [run.of(subject, scenario.name)[0] for subject in scenario.subjects[:2]]
            if scenario.beside and CONNECTING not in scenario.beside and scenario.one_for_all:
                ours, theirs = (sample.received / sample.answered for sample in samples)
                assert ours == pytest.approx(theirs, rel=_may_differ(scenario)), scenario.title

    def test_it_was_measured_by_clients(self, run: Results) -> None:
        assert {one.clients for one in run.samples if one.part == CLIENTS} == {1, 4}

    def test_every_distinct_url_was_answered_as_it_should_be(self, run: Results) -> None:
        assert run.flood[-1].asked == PLAN.urls
        assert not any(point.errors for point in run.flood)
        assert run.flood[-1].resident > 10_000_000

    def test_it_can_be_shown(self, run: Results) -> None:
        assert "| one hot zipcode | belref |" in figure_table(run)
        assert {one.subject for one in run.samples} >= {SERVICE, BARE, POOLED}


def _may_differ(scenario: Scenario) -> float:
    """A zipcode's answer may be a few bytes shorter than another's, and bare ASGI sends that of one of them."""
    return 0.02 if len(scenario.requests(0)) > 1 else 1e-9
