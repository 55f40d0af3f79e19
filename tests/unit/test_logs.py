import json
import logging

import pytest
import structlog

from entrypoints.logs import configure_logs


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
