"""Every question is answered as a table or as the JSON of the HTTP interface; what is not understood exits with 2."""

from decimal import Decimal

import pytest
from tests.worlds.command_line import AUTUMN, CommandLine

from entrypoints.settings import Settings


class TestNotUnderstood:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("indexation", "500,50", "--from", "2010-06", "--to", "2019-08"), "'500,50' is not an amount"),
            (("indexation", "500", "--from", "2026-13", "--to", "2019-08"), "'2026-13' is not a month"),
            (("indexation", "500", "--from", "2010-06", "--to", "08/2019"), "'08/2019' is not a month"),
            (("index", "month", "2022"), "'2022' is not a month"),
            (("index", "series", "--base-year", "2013", "--to", "2022"), "'2022' is not a month"),
            (("zipcode", "abc"), "Zipcode abc is not valid"),
            (("zipcode", "9000", "--as-of", "2026"), "'2026' is neither a day"),
            (("zipcodes", "--factor", "D"), "'D' is not one of 'A', 'B', 'C'"),
            (("serve", "--port", "70000"), "70000 is not in the range"),
        ],
    )
    def test_names_the_argument_and_what_would_be_right(
        self, belref: CommandLine, arguments: tuple[str, ...], message: str
    ) -> None:
        answer = belref(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert "Usage: belref" in answer.err
        assert message in answer.err

    def test_holds_for_settings_too(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORT", "abc")
        for arguments in (("serve",), ("zipcode", "9000"), ("index", "latest"), ("risk", "releases")):
            answer = belref(*arguments)
            assert (answer.code, answer.out) == (2, "")
            assert answer.err == "PORT: 'abc' is not a whole number from 0 to 65535\n"


class TestJson:
    def test_of_the_latest_figures(self, belref: CommandLine) -> None:
        body = belref("index", "latest", "--base-year", "2013", "--json").json
        assert [(each["base_year"], each["value"]) for each in body["figures"]] == [(2013, Decimal("140.30"))]
        assert body["freshness"]["attribution"].startswith("Statbel")

    def test_of_a_month(self, belref: CommandLine) -> None:
        body = belref("index", "month", "2022-04", "--base-year", "2004", "--json").json
        assert (body["month"], [each["value"] for each in body["figures"]]) == ("2022-04", [Decimal("144.43")])

    def test_of_a_refresh(self, belref: CommandLine) -> None:
        body = belref("index", "refresh", "--json").json
        assert (body["added"], body["changed"], body["stored"]) == ([], [], True)
        assert body["freshness"]["latest_month"] == "2026-08"

    def test_of_a_zipcode(self, belref: CommandLine) -> None:
        release = belref.load("autumn.csv", AUTUMN, "--activate")
        assert belref("zipcode", "9200", "--json").json == {"zipcode": 9200, "risk_factor": "A", "release": release}

    def test_of_the_zipcodes_of_a_factor(self, belref: CommandLine) -> None:
        release = belref.load("autumn.csv", AUTUMN, "--activate")
        body = belref("zipcodes", "--factor", "A", "--factor", "B", "--json").json
        assert (body["total"], body["release"]) == (72 + 34, release)
        assert body["items"][0] == {"zipcode": 1315, "risk_factor": "B"}


def test_a_month_is_shown_in_every_base_year(belref: CommandLine) -> None:
    shown = belref.done("index", "month", "2022-04")
    assert all(figure in shown for figure in ("119.59", "144.43", "164.32", "198.11", "derived", "Source: Statbel"))


def test_a_month_that_is_not_published_is_refused(belref: CommandLine) -> None:
    answer = belref("index", "month", "2099-01")
    assert (answer.code, answer.out) == (1, "")
    assert "is not published yet" in answer.err


def test_zipcodes_are_listed_one_on_a_line_now_and_as_they_were(belref: CommandLine) -> None:
    first = belref.load("autumn.csv", AUTUMN, "--activate")
    belref.load("wild.csv", "1000,A\n", "--activate", "--force")
    assert belref.done("zipcodes", "--factor", "A") == "1000 A\n"
    assert belref.done("zipcodes", "--factor", "B", "--release", first).splitlines()[:2] == ["1315 B", "9000 B"]
    assert belref.done("zipcodes", "--release", "1").count("\n") == 417
    assert belref.done("zipcodes", "--factor", "C") == ""


def test_what_is_served_where_is_said_by_options_before_settings(
    belref: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Settings] = []
    monkeypatch.setenv("PORT", "5001")
    monkeypatch.setattr("entrypoints.cli.service.serve_http", served.append)
    assert belref.done("serve") == belref.done("serve", "--host", "0.0.0.0", "--port", "0") == ""  # noqa: S104 - not bound
    assert [(each.host, each.port) for each in served] == [("127.0.0.1", 5001), ("0.0.0.0", 0)]  # noqa: S104 - as above


def test_the_shell_completes_commands_and_values(belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_BELREF_COMPLETE", "bash_complete")
    for words, at, completed in (
        ("belref ris", "1", "risk"),
        ("belref risk ex", "2", "export"),
        ("belref rent --region fl", "3", "flanders"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", at)
        assert belref.done() == f"plain,{completed}\n"
