import json
import logging

import pytest
import structlog

from entrypoints.logs import access_log, configure_logs
from entrypoints.metrics import Series

IDENTITY = "6e9c1f0a-7f7e-4f1c-9d8e-2f6b7a0f6a11"
REQUEST = Series("GET", "/v1/zipcodes/{zipcode}", 200)


def test_each_line_is_one_json_object_whoever_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    structlog.get_logger("ours").info("said", number=1)
    logging.getLogger("theirs").warning("said %s", "too")
    logging.getLogger("theirs").debug("not said")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["number"], ours["level"], ours["logger"]) == ("said", 1, "info", "ours")
    assert (theirs["event"], theirs["level"]) == ("said too", "warning")
    assert ours["timestamp"].endswith("Z")


def test_a_trace_does_not_show_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    password = "hunter2".upper()
    try:
        int(password[:0])
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    line = capsys.readouterr().err
    assert "ValueError" in json.dumps(json.loads(line)["exception"])
    assert "HUNTER2" not in line


def test_for_people_it_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("debug", for_people=True)
    structlog.get_logger("ours").debug("said", number=1)
    line = capsys.readouterr().err
    assert "said" in line
    with pytest.raises(json.JSONDecodeError):
        json.loads(line)


async def test_the_line_of_a_request_is_written_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    quick = access_log("info")
    quick.write(REQUEST, IDENTITY, 0.0123)
    assert capsys.readouterr().err == ""  # it waits for others
    quick.flush()
    by_hand = json.loads(capsys.readouterr().err)
    with structlog.contextvars.bound_contextvars(request_id=IDENTITY):
        structlog.get_logger("access").info(
            "request", method="GET", route="/v1/zipcodes/{zipcode}", status=200, milliseconds=12.3
        )
    by_structlog = json.loads(capsys.readouterr().err)
    assert list(by_hand) == list(by_structlog)
    assert {**by_hand, "timestamp": ""} == {**by_structlog, "timestamp": ""}
    assert len(by_hand["timestamp"]) == len(by_structlog["timestamp"]) == len("2026-09-10T12:00:00.000000Z")


async def test_for_people_the_line_of_a_request_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", for_people=True)
    access_log("info", for_people=True).write(REQUEST, IDENTITY, 0.0123)
    line = capsys.readouterr().err
    assert "12.3" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("for_people", [True, False])
@pytest.mark.parametrize("level", ["warning", "error"])
async def test_above_its_level_nothing_is_written_of_a_request(
    capsys: pytest.CaptureFixture[str], level: str, *, for_people: bool
) -> None:
    configure_logs(level, for_people=for_people)
    silent = access_log(level, for_people=for_people)
    silent.write(REQUEST, IDENTITY, 0.0123)
    silent.flush()
    assert capsys.readouterr().err == ""
