"""`belref risk`: who is recorded, how it ends when something is wrong, and what it shows while it works."""

import getpass
import io
import os

import pytest
from rich.console import Console
from tests.worlds.command_line import AUTUMN, SPRING, WILD, CommandLine, stacked

from domain.errors import StorageUnavailable
from entrypoints.cli.commands import MOMENT, Notice


class TestWho:
    def _recorded(self, belref: CommandLine, *options: str) -> object:
        return belref.risk("load", belref.file("autumn.csv", AUTUMN), *options)["release"]["created_by"]

    def test_is_named_by_an_option_before_the_environment(self, belref: CommandLine) -> None:
        assert self._recorded(belref, "--by", "bob") == "bob"

    def test_is_named_by_the_environment_before_the_login(
        self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BELREF_OPERATOR", "pipeline 12")
        assert self._recorded(belref) == "pipeline 12"

    def test_is_the_login_where_nothing_is_said(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BELREF_OPERATOR", "")
        monkeypatch.setenv("LOGNAME", "carla")
        assert self._recorded(belref) == "carla"

    @pytest.mark.parametrize("failure", [KeyError("uid not found"), OSError("No username set"), ImportError("pwd")])
    def test_is_a_number_where_the_login_has_no_name(
        self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch, failure: Exception
    ) -> None:
        def nameless() -> str:
            raise failure

        monkeypatch.delenv("BELREF_OPERATOR")
        monkeypatch.setattr(getpass, "getuser", nameless)
        assert self._recorded(belref) == str(os.getuid())

    @pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "\x1b[31mred", "right\u202eto left"])
    def test_is_refused_where_it_cannot_be_printed(self, belref: CommandLine, name: str) -> None:
        answer = belref("risk", "load", belref.file("autumn.csv", AUTUMN), "--by", name)
        assert (answer.code, answer.out) == (2, "")
        assert "Invalid value for '--by': give 1 to 100 characters that can be printed" in answer.err

    def test_may_be_a_hundred_characters(self, belref: CommandLine) -> None:
        assert self._recorded(belref, "--by", "é" * 100) == "é" * 100


class TestLabel:
    def test_is_refused_where_it_cannot_be_printed(self, belref: CommandLine) -> None:
        belref.file("autumn.csv", AUTUMN)
        for label in ("", "x" * 201, "two\nlines"):
            assert belref("risk", "load", "autumn.csv", "--label", label).code == 2
        assert belref.risk("load", "autumn.csv", "--label", "x" * 200)["release"]["label"] == "x" * 200

    def test_of_a_file_with_a_strange_name_can_be_printed(self, belref: CommandLine) -> None:
        name = belref.file("two\nlines\x1b.csv", AUTUMN)
        assert belref.risk("load", name)["release"]["label"] == "two_lines_.csv"
        assert "two_lines_.csv is a valid risk table" in belref.done("risk", "check", name)


class TestHowItEnds:
    def test_the_exit_codes_are_in_the_help(self, belref: CommandLine) -> None:
        shown = belref.done("risk", "--help")
        for line in ("0    done", "1    refused", "2    not understood", "3    the store does not answer", "130  int"):
            assert f"  {line}" in shown
        for command in ("check", "diff", "load", "activate", "rollback", "releases", "export", "log"):
            assert f"\n  {command} " in shown
            assert "Usage: belref risk" in belref.done("risk", command, "--help")

    def test_commands_are_listed_in_the_order_of_use_with_a_whole_sentence_each(self, belref: CommandLine) -> None:
        listed = belref.done("risk", "--help").split("Commands:\n")[1].split("\n\n")[0]
        assert [line.split()[0] for line in listed.splitlines()] == [
            "check",
            "diff",
            "load",
            "activate",
            "rollback",
            "releases",
            "export",
            "log",
        ]
        assert "..." not in listed

    @pytest.mark.parametrize(
        "arguments",
        [
            ("risk", "chekc", "autumn.csv"),
            ("risk", "load"),
            ("risk", "load", "autumn.csv", "--force"),
            ("risk", "activate"),
            ("risk", "diff"),
            ("risk", "log", "--limit", "0"),
            ("risk", "log", "--limit", "many"),
            ("risk", "export", "1", "2"),
            ("risk", "rollback", "1"),
        ],
    )
    def test_what_is_not_understood_exits_with_2(self, belref: CommandLine, arguments: tuple[str, ...]) -> None:
        belref.file("autumn.csv", AUTUMN)
        answer = belref(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert "Usage: belref risk" in answer.err
        assert not belref.data.exists()

    def test_a_store_that_does_not_answer_exits_with_3(
        self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        (belref.data / "log.jsonl").write_bytes(b"not a log\n" * 3)
        for arguments in (["load", "autumn.csv"], ["activate", "1"], ["rollback"], ["releases"], ["export"], ["log"]):
            answer = belref("risk", *arguments)
            assert (answer.code, answer.out) == (3, "")
            assert answer.err.startswith("The store does not answer: ")
            assert answer.err.count("\n") == 1
            refused = belref("risk", *arguments, "--json")
            assert (refused.code, refused.json["error"]) == (3, "storage_unavailable")
        assert belref("zipcode", "9200").code == 3

    def test_a_bad_setting_is_one_line_or_json(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RISK_MAX_CHANGE_PERCENT", "120")
        answer = belref("risk", "releases")
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("RISK_MAX_CHANGE_PERCENT: ")
        assert belref("risk", "releases", "--json").json["error"] == "invalid_settings"

    def test_what_is_interrupted_exits_with_130(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("entrypoints.cli.risk_options.read_draft", interrupted)
        answer = belref("risk", "load", belref.file("autumn.csv", AUTUMN))
        assert (answer.code, answer.out, answer.err.strip()) == (130, "", "")

    def test_json_that_is_refused_is_still_nothing_but_json(
        self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unavailable(*_: object, **__: object) -> None:
            raise StorageUnavailable("it is away")

        monkeypatch.setattr("entrypoints.cli.risk_options.read_draft", unavailable)
        answer = belref("risk", "load", belref.file("autumn.csv", AUTUMN), "--json")
        assert answer.code == 3
        assert answer.json == {
            "error": "storage_unavailable",
            "refused": ["The store does not answer: it is away"],
        }

    def test_tables_are_not_cut_where_nobody_looks_at_them(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        belref.load("spring.csv", SPRING, "--label", "x" * 39)
        shown = belref.done("risk", "releases")
        assert first in shown
        assert "".join(stacked(shown)[1][3][2:]) == "x" * 39
        assert "…" not in shown

    def test_tables_fit_80_columns_however_long_the_names(self, belref: CommandLine) -> None:
        who = ("--by", "anna.verstraete.van.de.putte@department.example.org", "--label", "x" * 200)
        belref.load("autumn.csv", AUTUMN, "--activate", *who)
        belref.load("wild.csv", WILD, "--activate", "--force", *who)
        shown = [belref.done("risk", "releases"), belref.done("risk", "log"), belref.done("index", "latest")]
        shown.append(belref.done("index", "series", "--base-year", "2013"))
        lease = ("--zipcode", "5000", "--signed-on", "2016-05-01", "--starts-on", "2016-06-01", "--energy-label", "F")
        shown.append("\n".join(belref.done("rent", "1500", *lease, "--schedule").splitlines()[:-2]))
        assert max(len(line) for text in shown for line in text.splitlines()) <= 80

    def test_a_name_that_is_no_text_is_no_reason_to_fail(self, belref: CommandLine) -> None:
        name = os.fsdecode(b"b\xe9.csv")
        for command, shown in (("check", "b_.csv"), ("diff", "b?.csv")):
            assert belref("risk", command, name).code == 1
            assert shown in str(belref("risk", command, name, "--json").json["refused"])
        (belref.folder / name).write_text(AUTUMN)
        assert belref.risk("diff", name)["to"]["file"] == "b?.csv"
        assert belref.risk("load", name)["release"]["label"] == "b_.csv"
        assert "b\N{REPLACEMENT CHARACTER}.csv" in belref.done("risk", "diff", name)


class _Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class TestProgress:
    def test_is_shown_on_a_terminal_once_a_moment_has_passed(self) -> None:
        clock, shown = _Clock(), io.StringIO()
        notice = Notice(Console(file=shown, force_terminal=True, width=80), clock)
        notice.reading(10, 100)
        assert shown.getvalue() == ""
        clock.now += MOMENT
        notice.reading(34, 100)
        notice.close()
        assert "reading: 34 % of 100 bytes" in shown.getvalue()

    def test_is_not_shown_where_output_goes_elsewhere(self) -> None:
        clock, shown = _Clock(), io.StringIO()
        notice = Notice(Console(file=shown, width=80), clock)
        clock.now += 10 * MOMENT
        notice.reading(34, 100)
        notice.close()
        assert shown.getvalue() == ""

    def test_of_a_file_of_unknown_size_says_how_far_it_is(self) -> None:
        clock, shown = _Clock(), io.StringIO()
        notice = Notice(Console(file=shown, force_terminal=True, width=80), clock)
        clock.now += MOMENT
        notice.reading(34_000, 0)
        notice.close()
        assert "reading: 34,000 bytes" in shown.getvalue()
