"""The `belref` command, without a server."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from entrypoints.cli.main import main


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTH_INDEX_SOURCE", "snapshot")
    monkeypatch.setenv("COLUMNS", "100")


def test_latest_shows_every_base_year(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "index", "latest")
    assert code == 0
    assert all(figure in out for figure in ("140.30", "169.44", "192.77", "232.43", "103.49"))
    assert "estimated (to 0.02)" in out
    assert "Statbel" in out


def test_latest_may_keep_to_what_statbel_published(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "index", "latest", "--published")
    assert code == 0
    assert all(figure in out for figure in ("140.30", "160.58", "182.69", "220.26", "103.24"))


def test_latest_shows_one_base_year(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "index", "latest", "--base-year", "2004")
    assert code == 0
    assert "169.44" in out
    assert "140.30" not in out


def test_a_base_year_that_is_not_published_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "index", "latest", "--base-year", "2020")
    assert (code, out, err) == (
        1,
        "",
        "There is no base year 2020: figures are published in 2025, 2013, 2004, 1996, 1988\n",
    )


def test_a_refresh_that_brings_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "index", "refresh")
    assert code == 0
    assert "Nothing new." in out
    assert "Latest month known: 2026-08" in out


def test_a_zipcode_has_a_factor(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "zipcode", "9000")
    assert code == 0
    assert out.startswith("9000 B (release ")


@pytest.mark.parametrize(
    ("code", "exit_code", "message"), [("9993", 1, "has no risk factor"), ("999", 2, "Zipcode 999 is not valid")]
)
def test_a_zipcode_without_a_factor_is_refused(
    capsys: pytest.CaptureFixture[str], code: str, exit_code: int, message: str
) -> None:
    status, out, err = _run(capsys, "zipcode", code)
    assert (status, out) == (exit_code, "")
    assert message in err


def test_a_valid_table_is_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("1000 - 1999,C\n2000,B\n3000 - 3001,A\n")
    code, out, _ = _run(capsys, "risk", "check", str(path))
    assert code == 0
    assert "table.csv is a valid risk table of 3 ranges" in out
    rows = [line.replace("│", " ").split() for line in out.splitlines()]
    assert ["A", "1", "2"] in rows
    assert ["B", "1", "1"] in rows
    assert ["C", "1", "1,000"] in rows
    assert ["all", "3", "1,003"] in rows


def test_an_invalid_table_is_refused_with_all_its_faults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("1000,[D]\n99,A\n")
    code, out, err = _run(capsys, "risk", "check", str(path))
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "line 1: '[D]' is not a risk factor (A, B or C)",
        "line 2: 99 lies outside 1000 to 9999",
        "Refused: table.csv has 2 faults.",
    ]


def test_no_more_than_a_hundred_faults_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("x,A\n" * 1500)
    _, _, err = _run(capsys, "risk", "check", str(path))
    assert len(err.splitlines()) == 102
    assert err.splitlines()[-2:] == [
        "... and 1,400 more",
        "Refused: table.csv has 1,500 faults.",
    ]


def test_a_bad_setting_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    code, out, err = _run(capsys, "zipcode", "9000")
    assert (code, out) == (2, "")
    assert err == "PORT: 'many' is not a whole number from 0 to 65535\n"


def test_serving_an_invalid_table_stops_with_one_clear_line_after_its_faults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("1000,D\n")
    monkeypatch.setenv("RISK_TABLE_FILE", str(path))
    code, _, err = _run(capsys, "serve")
    assert code == 1
    assert "'D' is not a risk factor" in err
    assert err.splitlines()[-1].startswith("RISK_TABLE_FILE: The risk table is not valid: line 1")


def test_what_is_not_understood_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _run(capsys, "idnex")
    assert code == 2
    assert "No such command" in err
    assert _run(capsys, "index", "latest", "--base-year", "x")[0] == 2


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert "risk factor of a Belgian zipcode" in _run(capsys, "--help")[1]
    assert _run(capsys, "--version")[1].startswith("belref, version ")


@pytest.mark.parametrize("command", ["index", "indexation", "rent", "place", "zipcode", "risk", "serve", "migrate"])
def test_every_command_is_listed_and_explains_itself(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert f"\n  {command} " in _run(capsys, "--help")[1]
    code, out, err = _run(capsys, command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: belref {command}")


def test_a_question_that_is_refused_is_answered_in_words_even_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = _run(capsys, "indexation", "500", "--from", "1993-12", "--to", "2019-08", "--json")
    assert (code, out) == (1, "")
    assert "consumer price index" in err


def test_a_series_is_a_table_csv_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    query = ("index", "series", "--base-year", "2013", "--from", "2020-01", "--to", "2020-02")
    code, out, _ = _run(capsys, *query)
    assert code == 0
    assert "109.72" in out
    assert _run(capsys, *query, "--csv")[1] == (
        "month,value,provenance,smoothed,smoothed_provenance\n"
        "2020-01,109.72,published,107.04,published\n"
        "2020-02,109.87,published,107.25,published\n"
    )
    items = json.loads(_run(capsys, *query, "--json")[1], parse_float=Decimal)
    assert [item["value"] for item in items] == [Decimal("109.72"), Decimal("109.87")]


def test_an_amount_is_indexed_with_its_receipt(capsys: pytest.CaptureFixture[str]) -> None:
    query = ("indexation", "500", "--from", "2010-06", "--to", "2019-08")
    code, out, _ = _run(capsys, *query)
    assert code == 0
    assert out.splitlines() == [
        "584.18",
        "500.00 \N{MULTIPLICATION SIGN} 131.72 \N{DIVISION SIGN} 112.74 = 584.18 (rounded half up to the cent)",
        "health index of 2010-06 in base 2004: 112.74 (published)",
        "health index of 2019-08 in base 2004: 131.72 (published)",
        "base year: 2004 is the base year in force in the starting month 2010-06 (no law names a base year)",
    ]
    receipt = json.loads(_run(capsys, *query, "--json")[1], parse_float=Decimal)
    assert receipt["indexed"] == Decimal("584.18")
    assert receipt["permalink"].startswith("/v1/indexations?amount=500.00&from=2010-06&to=2019-08")


def test_a_rent_is_indexed_with_its_rule(capsys: pytest.CaptureFixture[str]) -> None:
    query = ("rent", "500", "--region", "brussels", "--signed-on", "2010-07-25", "--starts-on", "2010-09-01")
    code, out, _ = _run(capsys, *query, "--on", "2020-01-01")
    assert code == 0
    assert out.startswith("584.18 from 2019-09-01 on\n")
    assert "2010-06 is the month before that of the signature" in out
    assert "energy certificate" in out
    receipt = json.loads(_run(capsys, *query, "--on", "2020-01-01", "--json")[1], parse_float=Decimal)
    assert (receipt["indexed_rent"], receipt["anniversary"]) == (Decimal("584.18"), "2019-09-01")


@pytest.mark.parametrize(
    ("exit_code", "arguments", "message"),
    [
        (2, ("indexation", "5e2", "--from", "2010-06", "--to", "2019-08"), "is not an amount"),
        (2, ("indexation", "500", "--from", "2010-13", "--to", "2019-08"), "is not a month"),
        (1, ("indexation", "500", "--from", "1993-12", "--to", "2019-08"), "consumer price index"),
        (1, ("index", "series", "--base-year", "2020"), "There is no base year 2020"),
    ],
)
def test_a_question_without_an_answer_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], exit_code: int, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = _run(capsys, *arguments)
    assert (code, out) == (exit_code, "")
    assert message in err


def test_a_question_needs_no_cache(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_INDEX_SOURCE", "statbel")
    monkeypatch.setenv("REDIS_URL", "not an address")
    code, out, _ = _run(capsys, "index", "latest", "--base-year", "2013")
    assert code == 0
    assert "140.30" in out
