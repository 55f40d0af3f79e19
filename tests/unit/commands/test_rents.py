"""`belref rent` and `belref place`: the law of a rent from the command line."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from entrypoints.cli.main import main

LEASE = ("rent", "900", "--signed-on", "2019-08-15", "--starts-on", "2019-10-01")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTH_INDEX_SOURCE", "snapshot")


def test_a_corrected_rent_comes_with_both_calculations_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *LEASE, "--zipcode", "1040", "--energy-label", "E", "--on", "2025-10-01")
    assert code == 0
    first, formula, alone, *rest = out.splitlines()
    assert first.endswith(" from 2025-10-01 on")
    assert "0.50" in formula
    assert formula.endswith(f"= {first.split()[0]} (rounded half up to the cent)")
    assert alone.startswith("by the index alone it would be 1")
    said = "\n".join(rest)
    for part in ("corrected", "factor", "to be checked: the lease must be registered", "Inferred", "Not taken into"):
        assert part in said


def test_an_adapted_rent_shows_each_rent_of_its_chain(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, *LEASE, "--zipcode", "4000", "--energy-label", "D", "--on", "2025-10-01")[1]
    assert [line.partition(":")[0] for line in out.splitlines()[1:4]] == [
        "rent before",
        "ordinary rent",
        "new base rent",
    ]


def test_without_a_label_the_lowest_rent_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, *LEASE, "--region", "flanders", "--on", "2025-10-01")[1]
    assert "the worst label would leave " in out


def test_the_rent_paid_counts_in_flanders(capsys: pytest.CaptureFixture[str]) -> None:
    query = (*LEASE, "--region", "flanders", "--energy-label", "F", "--on", "2022-10-01")
    assert run(capsys, *query, "--rent-before", "905.5")[1].startswith("905.50 from 2022-10-01 on\n")
    assert run(capsys, *query)[1].startswith("930.75 from 2022-10-01 on\n")


def test_the_index_skip_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    lease = ("rent", "900", "--signed-on", "2012-08-15", "--starts-on", "2012-10-01")
    out = run(capsys, *lease, "--region", "wallonia", "--on", "2016-10-01")[1]
    assert "index skip" in out
    assert "by the index alone it would be" in out


@pytest.mark.parametrize("label", ["A", "A+", "A++"])
def test_the_json_is_that_of_the_http_interface(capsys: pytest.CaptureFixture[str], label: str) -> None:
    out = run(capsys, *LEASE, "--region", "flanders", "--energy-label", label, "--on", "2025-10-01", "--json")[1]
    body = json.loads(out, parse_float=Decimal)
    assert (body["energy"]["status"], body["energy"]["label"]) == ("unlimited", "A")
    assert body["indexed_rent"] == body["ordinary_rent"]


def test_a_schedule_has_a_row_for_every_anniversary(capsys: pytest.CaptureFixture[str]) -> None:
    query = (*LEASE, "--region", "wallonia", "--energy-label", "G", "--on", "2026-11-27", "--schedule")
    code, out, _ = run(capsys, *query)
    assert code == 0
    for part in ("2020-10-01", "notConcerned", "limited", "adapted", "not known yet", "Energy label: G."):
        assert part in out
    lines = run(capsys, *query, "--csv")[1].splitlines()
    assert len(lines) == 8
    assert lines[-1] == "2026-10-01,2026-09,,,,,,,"
    assert json.loads(run(capsys, *query, "--json")[1])["total"] == 6


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 1, "give a region or, in its place, a zipcode"),
        (("--zipcode", "1000", "--region", "flanders"), 1, "lies in Brussels, not in Flanders"),
        (("--zipcode", "1001"), 1, "belongs to no municipality"),
        (("--zipcode", "99"), 2, "Zipcode 99 is not valid"),
        (("--region", "flanders", "--energy-label", "G"), 1, "label G does not exist in Flanders"),
        (("--region", "brussels", "--energy-label", "none"), 1, "without an energy certificate"),
        (("--region", "brussels", "--energy-label", "none", "--schedule"), 1, "without an energy certificate"),
        (("--region", "brussels", "--rent-before", "900"), 1, "has no meaning here"),
        (("--region", "brussels", "--rent-before", "9e2"), 2, "is not an amount"),
        (("--region", "brussels", "--energy-label", "H"), 2, "'H' is not one of"),
        (("--region", "brussels", "--csv"), 2, "--csv is for --schedule"),
    ],
)
def test_what_has_no_answer_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    found, out, err = run(capsys, *LEASE, *arguments, "--on", "2025-10-01")
    assert (found, out) == (code, "")
    assert message in err


def test_a_place_has_its_municipalities(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "place", "1040") == (
        0,
        "1040 Brussel / Bruxelles (21004), brussels\n1040 Etterbeek (21005), brussels\n",
        "",
    )
    assert json.loads(run(capsys, "place", "4700", "--json")[1])["region"] == "german-speaking-community"


@pytest.mark.parametrize(
    ("zipcode", "found", "message"), [("1001", 1, "belongs to no municipality"), ("9x", 2, "Zipcode 9x is not valid")]
)
def test_what_is_no_place_is_refused(
    capsys: pytest.CaptureFixture[str], zipcode: str, found: int, message: str
) -> None:
    code, out, err = run(capsys, "place", zipcode)
    assert (code, out) == (found, "")
    assert message in err
