"""The service as a process: what it answers, what it logs, how it starts and stops."""

import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.integration.service import Service, run_belref, running_service, wait_until
from tests.integration.statbel_server import HTML, OPEN_DATA, UNAVAILABLE, StatbelServer

from adapters.bundled import load_snapshot
from domain.health_index.figures import Figure, Month

KNOWN = tuple(figure for figure in load_snapshot().figures if figure.base_year != 2025)


@pytest.fixture
def statbel() -> Iterator[StatbelServer]:
    with StatbelServer() as server:
        yield server


def _settings(statbel: StatbelServer) -> dict[str, str]:
    return {"STATBEL_OPEN_DATA_URL": statbel.open_data_url, "STATBEL_VIEW_URLS": statbel.view_url}


def _latest(service: Service) -> dict[str, object]:
    body: dict[str, object] = service.client.get("/v1/health-index/latest?base_year=2013").json()
    return body


def test_it_answers_at_once_from_the_snapshot_and_goes_on_when_the_source_is_down(
    tmp_path: Path, statbel: StatbelServer
) -> None:
    statbel.answer(OPEN_DATA, HTML)
    with running_service(tmp_path, **_settings(statbel)) as service:
        expected = {"base_year": 2013, "index": 140.30, "month": "2026-08", "provenance": "published"}
        assert service.client.get("/index?year=2013").json() == expected
        line = service.wait_for_line("health index not refreshed")
        assert line["level"] == "warning"
        assert "not data" in line["reason"]
        assert _latest(service)["freshness"]["source"] == "snapshot"  # type: ignore[index]


def test_it_takes_over_what_the_source_publishes(tmp_path: Path, statbel: StatbelServer) -> None:
    september = Figure(Month(2026, 9), 2013, Decimal("140.85"))
    statbel.publish([*(f for f in KNOWN if f.base_year == 2013), september])
    with running_service(tmp_path, **_settings(statbel)) as service:
        line = service.wait_for_line("health index refreshed")
        assert (line["source"], line["latest_month"], line["added"], line["changed"]) == ("statbel", "2026-09", 1, 0)
        body = _latest(service)
        assert (body["month"], body["figures"][0]["value"]) == ("2026-09", 140.85)  # type: ignore[index]
        assert body["freshness"]["source"] == "statbel"  # type: ignore[index]


def test_it_answers_every_figure_of_the_source_in_every_base_year(tmp_path: Path, statbel: StatbelServer) -> None:
    statbel.publish(KNOWN)
    with running_service(tmp_path, **_settings(statbel)) as service:
        service.wait_for_line("health index refreshed")
        compared = 0
        for base_year in (1988, 1996, 2004, 2013):
            items = service.client.get("/v1/health-index", params={"base_year": base_year}).json()["items"]
            answered = {item["month"]: item["value"] for item in items}
            for figure in KNOWN:
                if figure.base_year == base_year:
                    assert answered[str(figure.month)] == float(figure.value)
                    compared += 1
        assert compared == len(KNOWN) > 1500


def test_a_table_of_the_operator_is_served(tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("9000,C\n9170 - 9172,A\n")
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot", RISK_TABLE_FILE=str(path)) as service:
        assert service.client.get("/zipcodes/9000").json()["risk_factor"] == "C"
        assert service.client.get("/databases/zipcodes?risk_factor=A").json() == {"A": [9170, 9171, 9172]}


def test_an_answer_under_way_is_finished_after_sigterm(tmp_path: Path) -> None:
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot") as service:
        with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
            # More than the kernel buffers between us take: the service cannot finish before we read.
            connection.sendall(b"GET /v1/zipcodes HTTP/1.1\r\nHost: belref\r\n\r\n" * 40)
            service.wait_for_line("request", route="/v1/zipcodes")
            stopped = threading.Thread(target=service.terminate)
            stopped.start()
            service.wait_for_line("Shutting down")
            received = b"".join(iter(lambda: connection.recv(1 << 20), b""))
            stopped.join()
        answers = received.split(b"HTTP/1.1 200 OK")[1:]
        assert answers
        assert len({len(answer.partition(b"\r\n\r\n")[2]) for answer in answers}) == 1  # none is cut short
        assert service.process.returncode == 0
        assert "Finished server process" in service.text()


def test_it_stops_at_once_when_nothing_is_in_flight_and_a_reading_is(tmp_path: Path, statbel: StatbelServer) -> None:
    statbel.answer(OPEN_DATA, UNAVAILABLE)
    with running_service(tmp_path, **_settings(statbel)) as service:
        wait_until(lambda: statbel.requests or None, "the source to be asked")
        assert service.terminate() == 0
    assert "Traceback" not in service.text()


def test_each_request_is_one_line_of_json_with_its_id(tmp_path: Path) -> None:
    with running_service(tmp_path, HEALTH_INDEX_SOURCE="snapshot") as service:
        answer = service.client.get("/v1/zipcodes/9000")
        line = service.wait_for_line("request")
        assert line["request_id"] == answer.headers["x-request-id"]
        assert (line["route"], line["status"]) == ("/v1/zipcodes/{zipcode}", 200)


def test_a_port_that_is_taken_stops_the_start_with_a_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_belref(tmp_path, "serve", PORT=port, HEALTH_INDEX_SOURCE="snapshot")
    assert done.returncode != 0
    assert "address already in use" in done.stderr


def test_a_bad_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    done = run_belref(tmp_path, "serve", PORT="http")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "PORT: 'http' is not a whole number from 0 to 65535\n"


def test_refresh_on_the_command_line_prints_what_is_new(tmp_path: Path, statbel: StatbelServer) -> None:
    base_2013 = [f for f in KNOWN if f.base_year == 2013]
    statbel.publish([*base_2013, Figure(Month(2026, 9), 2013, Decimal("140.85"))])
    done = run_belref(tmp_path, "index", "refresh", **_settings(statbel))
    assert done.returncode == 0, done.stderr
    assert "New: 1" in done.stdout
    assert "140.85" in done.stdout
    assert "Latest month known: 2026-09" in done.stdout


def test_refresh_on_the_command_line_says_why_it_could_not(tmp_path: Path, statbel: StatbelServer) -> None:
    statbel.answer(OPEN_DATA, HTML)
    done = run_belref(tmp_path, "index", "refresh", **_settings(statbel))
    assert done.returncode == 1
    assert "not data" in done.stderr
    assert "Traceback" not in done.stderr
