"""The forms of the concurrency study answer alike, so that comparing them is fair."""

import asyncio
import math
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from benchmarks.forms.applications import FORMS, FormServer, connecting
from benchmarks.load import Load, LoadGenerator, Request
from psycopg.conninfo import make_conninfo
from tests.integration.postgres_databases import Database, Databases
from tests.worlds.risk_tables import put_into_service

from adapters.bundled import SAMPLE_RISK_TABLE
from adapters.postgres.connections import make_pool
from adapters.postgres.risk_tables import PsycopgZipcodeRepository
from adapters.risk_files.reading import read_draft
from domain.errors import NoActiveRelease, StorageUnavailable
from domain.risk.tables import RiskFactor, Zipcode

TABLE = read_draft(SAMPLE_RISK_TABLE).table
RELEASE = f"0001-{TABLE.digest[:8]}"
ALIKE = ("content-type", "content-length", "etag", "cache-control")
ZIPCODES = (1000, 1315, 1320, 5000, 9000, 9170, 9992, 9993, 9999)
INJECTIONS = (
    "A' OR '1'='1",
    "A'; DROP TABLE risk_ranges; --",
    "A' UNION SELECT digest, 1, 1, 'A' FROM releases --",
    "1000 OR 1=1",
    "1000; SELECT pg_sleep(5)",
    "A/**/OR/**/1=1",
    "\uff07 OR 1=1",
    "%27 OR 1=1",
    "A\x00",
    "A" * 5000,
)

each_form = pytest.mark.parametrize("form", FORMS)
injections = pytest.mark.parametrize("injection", INJECTIONS, ids=lambda text: ascii(text[:12]))


@pytest.fixture(scope="module")
def loaded(databases: Databases) -> Iterator[Database]:
    """A database with the sample in service; nothing here changes it."""

    async def load(dsn: str) -> None:
        async with make_pool(dsn, max_size=4, timeout=10, statement_timeout=10) as pool:
            await put_into_service(PsycopgZipcodeRepository(pool), TABLE)

    database = databases.migrated()
    asyncio.run(load(database.service))
    yield database
    databases.drop(database)


@pytest.fixture(scope="module")
def servers(loaded: Database) -> Iterator[Mapping[str, FormServer]]:
    with ExitStack() as stack:
        yield {form: stack.enter_context(FormServer(form, loaded.service)) for form in FORMS}


@pytest.fixture(scope="module")
def clients(servers: Mapping[str, FormServer]) -> Iterator[Mapping[str, httpx2.Client]]:
    with ExitStack() as stack:
        yield {
            form: stack.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20))
            for form, server in servers.items()
        }


def answer(client: httpx2.Client, path: str) -> tuple[int, dict[str, str | None], bytes]:
    response = client.get(path)
    return response.status_code, {name: response.headers.get(name) for name in ALIKE}, response.content


class TestAnswers:
    @pytest.mark.parametrize(
        "path",
        [
            *(f"/zipcodes/{zipcode}" for zipcode in ZIPCODES),
            *(f"/databases/zipcodes?risk_factor={factor}" for factor in RiskFactor),
        ],
    )
    def test_all_forms_give_the_same_bytes(self, clients: Mapping[str, httpx2.Client], path: str) -> None:
        answers = {form: answer(client, path) for form, client in clients.items()}
        first = answers["connect-in-loop"]
        assert first[0] == 200
        assert first[1]["etag"] == f'W/"{RELEASE}"'
        assert answers == dict.fromkeys(FORMS, first)

    @each_form
    def test_a_form_says_what_the_table_says_of_a_zipcode(
        self, clients: Mapping[str, httpx2.Client], form: str
    ) -> None:
        for zipcode in ZIPCODES:
            factor = TABLE.factor(Zipcode(zipcode))
            expected = {"zipcode": zipcode, "risk_factor": factor, "exists": factor is not None}
            assert clients[form].get(f"/zipcodes/{zipcode}").json() == expected

    @each_form
    def test_a_form_lists_what_the_table_has_of_a_factor(self, clients: Mapping[str, httpx2.Client], form: str) -> None:
        for factor in RiskFactor:
            expected = [zipcode for zipcode, its_factor in TABLE.factors() if its_factor is factor]
            found = clients[form].get("/databases/zipcodes", params={"risk_factor": factor.value})
            assert expected
            assert found.json() == {factor.value: expected}


class TestInjections:
    @each_form
    @injections
    def test_sql_in_place_of_a_value_is_refused(
        self, clients: Mapping[str, httpx2.Client], form: str, injection: str
    ) -> None:
        text = quote(injection, safe="")
        for path in (f"/zipcodes/{text}", f"/databases/zipcodes?risk_factor={text}"):
            response = clients[form].get(path)
            if response.status_code == 404:  # a slash in the path, which names no route
                assert "/" in injection
                continue
            assert response.status_code == 400
            assert response.headers["content-type"] == "application/problem+json"

    @injections
    def test_behind_the_check_it_is_a_value_all_the_same(self, loaded: Database, injection: str) -> None:
        zipcodes = connecting(loaded.service)
        with pytest.raises(StorageUnavailable):
            zipcodes.find(cast("Any", injection))
        if "\x00" not in injection:
            assert zipcodes.select([cast("Any", SimpleNamespace(value=injection))]).items == ()
        assert len(zipcodes.select(list(RiskFactor)).items) == sum(TABLE.counts().values())


class TestBlockingStore:
    def test_a_database_out_of_reach_is_the_domains_own_error(self, loaded: Database) -> None:
        with pytest.raises(StorageUnavailable):
            connecting(make_conninfo(loaded.service, password="wrong")).find(Zipcode(9000))

    def test_a_database_without_a_release_says_so(self, database: Database) -> None:
        with pytest.raises(NoActiveRelease):
            connecting(database.service).select([RiskFactor.A])


class TestProcesses:
    def test_a_form_that_cannot_start_is_an_error_and_not_a_wait(self) -> None:
        with pytest.raises(RuntimeError, match="did not start"), FormServer("no such form", "dbname=none"):
            pass

    @pytest.mark.parametrize("form", ["pool-in-threads", "pool-in-loop", "pool-async"])
    def test_a_pool_has_as_many_connections_as_it_is_told(self, loaded: Database, form: str) -> None:
        dsn = make_conninfo(loaded.service, application_name=f"the pool of {form}")
        with FormServer(form, dsn, pool_size=3), psycopg.connect(loaded.superuser) as connection:
            statement = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            assert connection.execute(statement, [f"the pool of {form}"]).fetchone() == (3,)


class TestLoad:
    def test_good_answers_are_counted_apart_from_errors(self, servers: Mapping[str, FormServer]) -> None:
        server = servers["table"]
        load = Load(
            port=server.port,
            requests=[Request(path) for path in ("/zipcodes/9000", "/zipcodes/none", "/nowhere")],
            clients=3,
            seconds=0.2,
            at_least=30,
            watch={"server": server.pid},
        )
        with LoadGenerator() as generator:
            measured = generator.measure(load)
        assert measured.answered >= 9
        assert measured.errors == {
            "400": pytest.approx(measured.answered, abs=3),
            "404": pytest.approx(measured.answered, abs=3),
        }
        assert 0 < measured.p50 <= measured.p99
        assert measured.seconds > 0.19
        assert measured.rate == pytest.approx(measured.answered / measured.seconds)
        assert set(measured.cpu) == {"server", "load"}

    def test_it_is_bounded_in_count(self, servers: Mapping[str, FormServer]) -> None:
        load = Load(port=servers["table"].port, requests=[Request("/zipcodes/9000")], clients=2, seconds=30, at_most=50)
        with LoadGenerator() as generator:
            measured = generator.measure(load)
        assert measured.answered <= 50

    def test_a_port_where_nobody_listens_is_errors_and_no_answers(self) -> None:
        with socket.socket() as taken, LoadGenerator() as generator:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            measured = generator.measure(
                Load(port=port, requests=[Request("/")], clients=2, seconds=0.1, warm_up=0, patience=0.2)
            )
        assert measured.answered == 0
        assert measured.errors.keys() == {"not connected"}
        assert math.isnan(measured.p50)
