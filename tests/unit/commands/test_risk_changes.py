"""`belref risk load`, `activate` and `rollback`."""

import asyncio
from decimal import Decimal

import pytest
from tests.worlds.command_line import AUTUMN, SPRING, WILD, CommandLine

from adapters.folder.repository import FileZipcodeRepository
from domain.errors import StorageUnavailable
from domain.risk.releases import Activation, Draft, Event, ReleaseHistory
from domain.risk.tables import RiskFactor, RiskRange, RiskTable


class TestLoad:
    def test_makes_a_release_that_waits(self, belref: CommandLine) -> None:
        out = belref.done("risk", "load", belref.file("autumn.csv", AUTUMN))
        identity = out.split()[0]
        assert out.splitlines() == [
            f"{identity} is loaded: autumn.csv, 5 ranges, 417 zipcodes (A 72, B 34, C 311).",
            f"It is not in service; to put it there: belref risk activate {identity}",
        ]
        assert belref.in_service() is None

    def test_makes_no_second_release_of_the_same_table(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        out = belref.done("risk", "load", belref.file("again.csv", AUTUMN), "--by", "bob")
        assert out.startswith(f"{first} has this table: it was loaded on ")
        assert out.endswith(" by anna, and is not loaded twice.\n")
        body = belref.risk("load", "again.csv")
        assert (body["known"], body["release"]["label"], body["draft"]["label"]) == (True, "autumn.csv", "again.csv")
        assert len(belref.risk("releases")["items"]) == 1

    def test_refuses_a_file_with_faults_and_keeps_nothing(self, belref: CommandLine) -> None:
        answer = belref("risk", "load", belref.file("bad.csv", "1000,A\n1000,B\n"), "--activate")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.splitlines() == ["line 2: 1000 overlaps 1000 of line 1", "Refused: bad.csv has 1 fault."]
        assert not belref.data.exists()

    def test_calls_it_what_the_operator_says(self, belref: CommandLine) -> None:
        release = belref.risk("load", belref.file("autumn.csv", AUTUMN), "--label", "Tarif é", "--by", "bob")["release"]
        assert (release["label"], release["created_by"]) == ("Tarif é", "bob")

    def test_needs_a_place_for_releases(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATA_DIR")
        belref.file("autumn.csv", AUTUMN)
        for arguments in (
            ["load", "autumn.csv"],
            ["activate", "1"],
            ["rollback"],
            ["releases"],
            ["export"],
            ["log"],
            ["diff", "autumn.csv"],
        ):
            answer = belref("risk", *arguments)
            assert (answer.code, answer.out) == (1, "")
            assert answer.err == (
                "There is nowhere to keep releases: set DB_DSN (Postgres) or DATA_DIR (a folder of files)\n"
            )
            assert belref("risk", *arguments, "--json").json["error"] == "no_store"

    def test_and_activate_puts_it_into_service(self, belref: CommandLine) -> None:
        first = belref.done("risk", "load", belref.file("autumn.csv", AUTUMN), "--activate").splitlines()
        assert first[1].endswith(" is in service; none was before.")
        out = belref.done("risk", "load", belref.file("spring.csv", SPRING), "--activate").splitlines()
        before, now = first[0].split()[0], out[0].split()[0]
        assert out[1:5] == [
            f"{now} is in service, in place of {before}.",
            f"from {before} (autumn.csv, retired)",
            f"to   {now} (spring.csv, active)",
            "9170-9240 A→B, 71 zipcodes",
        ]
        assert belref.done("zipcode", "9200") == f"9200 B (release {now})\n"
        assert belref.done("risk", "load", "spring.csv", "--activate").splitlines()[1] == (
            f"{now} was in service already."
        )

    def test_and_activate_as_json(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        body = belref.risk("load", belref.file("spring.csv", SPRING), "--activate")
        assert (body["dry_run"], body["known"], body["activated"]) == (False, False, True)
        assert body["release"]["status"] == "active"
        assert body["diff"]["share"] == Decimal("17.03")
        staged = belref.risk("load", belref.file("wild.csv", WILD))
        assert (staged["activated"], staged["diff"], staged["release"]["status"]) == (False, None, "staged")


class TestDryRun:
    def test_changes_nothing_and_says_what_would_change(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        before = belref.risk("log")
        out = belref.done("risk", "load", belref.file("spring.csv", SPRING), "--dry-run").splitlines()
        assert out[:2] == ["spring.csv is valid: 5 ranges, 417 zipcodes (A 1, B 105, C 311).", "It is new."]
        assert "9170-9240 A→B, 71 zipcodes" in out
        assert out[-1] == "It may be put into service. Nothing was changed: this is a dry run."
        assert belref.risk("log") == before

    def test_does_not_even_make_the_folder(self, belref: CommandLine) -> None:
        belref.done("risk", "load", belref.file("autumn.csv", AUTUMN), "--dry-run")
        assert not belref.data.exists()

    def test_says_that_there_is_nothing_to_compare_with(self, belref: CommandLine) -> None:
        out = belref.done("risk", "load", belref.file("autumn.csv", AUTUMN), "--dry-run")
        assert "from nothing: no release is in service" in out

    def test_compares_with_a_store_or_not_at_all(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATA_DIR")
        answer = belref("risk", "load", belref.file("autumn.csv", AUTUMN), "--dry-run")
        assert (answer.code, answer.out) == (1, "")
        assert "nowhere to keep releases" in answer.err

    def test_refuses_what_activate_would_refuse(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        answer = belref("risk", "load", belref.file("wild.csv", WILD), "--dry-run")
        assert answer.code == 1
        assert "9170-9240 A→none, 71 zipcodes" in answer.out
        assert answer.err.splitlines() == [
            "Refused: it changes 106 of 417 zipcodes (25.5 %), more than 20 %.",
            "Refused: it drops factor A entirely, which 72 zipcodes had.",
            "Refused: it drops factor B entirely, which 34 zipcodes had.",
            "Nothing was changed: this is a dry run.",
        ]
        assert belref("risk", "load", "wild.csv", "--dry-run", "--force").code == 0
        assert len(belref.risk("releases")["items"]) == 1

    def test_as_json_refused_or_not(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        body = belref.risk("load", "autumn.csv", "--dry-run")
        assert (body["dry_run"], body["known"], body["release"]["id"], body["diff"]["equal"]) == (
            True,
            True,
            first,
            True,
        )
        answer = belref("risk", "load", belref.file("wild.csv", WILD), "--dry-run", "--json")
        assert answer.code == 1
        assert (answer.json["error"], len(answer.json["refused"])) == ("too_much_change", 3)
        assert (answer.json["dry_run"], answer.json["release"], answer.json["diff"]["removed"]) == (True, None, 106)


class TestTooMuchChange:
    def test_is_refused_with_the_diff_and_the_command_that_forces_it(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        answer = belref("risk", "load", belref.file("wild.csv", WILD), "--activate")
        assert (answer.code, answer.out) == (1, "")
        second = belref.risk("releases")["items"][1]
        lines = answer.err.splitlines()
        assert lines[:2] == [f"from {first} (autumn.csv, active)", f"to   {second['id']} (wild.csv, staged)"]
        assert "9170-9240 A→none, 71 zipcodes" in lines
        assert "Refused: it changes 106 of 417 zipcodes (25.5 %), more than 20 %." in lines
        assert lines[-1] == (
            f"{second['id']} is loaded, and stays staged. "
            f"To put it into service all the same: belref risk activate {second['id']} --force"
        )
        assert (second["status"], belref.in_service()) == ("staged", first)
        belref.done(*lines[-1].split("belref ")[1].split())
        assert belref.in_service() == second["id"]
        assert belref.risk("log")["items"][-1]["forced"] is True

    def test_as_json_says_all_of_that(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        answer = belref("risk", "load", belref.file("wild.csv", WILD), "--activate", "--json")
        assert answer.code == 1
        body = answer.json
        identity = body["release"]["id"]
        assert body["error"] == "too_much_change"
        assert body["refused"][0] == "it changes 106 of 417 zipcodes (25.5 %), more than 20 %"
        assert body["command"] == f"belref risk activate {identity} --force"
        assert (body["diff"]["from"]["release"], body["diff"]["to"]["release"]) == (first, identity)

    def test_depends_on_the_setting(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING)
        monkeypatch.setenv("RISK_MAX_CHANGE_PERCENT", "17")
        answer = belref("risk", "activate", second)
        assert answer.code == 1
        assert "Refused: it changes 71 of 417 zipcodes (17.1 %), more than 17 %." in answer.err.splitlines()
        monkeypatch.setenv("RISK_MAX_CHANGE_PERCENT", "18")
        assert belref("risk", "activate", second).code == 0

    def test_can_be_forced_at_once(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("wild.csv", WILD, "--activate", "--force")
        assert belref.in_service() == second


class TestActivate:
    def test_takes_an_id_or_a_number(self, belref: CommandLine) -> None:
        first, second = belref.load("autumn.csv", AUTUMN), belref.load("spring.csv", SPRING)
        assert belref.done("risk", "activate", first) == f"{first} is in service; none was before.\n"
        assert belref.done("risk", "activate", "2").startswith(f"{second} is in service, in place of {first}.\n")
        assert belref.done("risk", "activate", "0002") == f"{second} was in service already.\n"

    def test_as_json(self, belref: CommandLine) -> None:
        first, second = belref.load("autumn.csv", AUTUMN, "--activate"), belref.load("spring.csv", SPRING)
        body = belref.risk("activate", second)
        assert (body["release"]["id"], body["release"]["status"]) == (second, "active")
        assert (body["in_place_of"], body["already"], body["diff"]["changed"]) == (first, False, 71)
        assert belref.risk("activate", second)["already"] is True

    def test_of_a_release_that_is_not_there_is_refused(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN)
        answer = belref("risk", "activate", "7")
        assert (answer.code, answer.out, answer.err) == (1, "", "There is no release '7'\n")
        assert belref("risk", "activate", "7", "--json").json == {
            "error": "unknown_release",
            "refused": ["There is no release '7'"],
        }

    def test_tells_the_slower_of_two_operators(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        first, second = belref.load("autumn.csv", AUTUMN, "--activate"), belref.load("spring.csv", SPRING)
        other = RiskTable([RiskRange(1000, 1310, RiskFactor.C)])
        read = FileZipcodeRepository.table

        async def table_while_somebody_else_activates(self: FileZipcodeRepository, release: str) -> RiskTable:
            monkeypatch.setattr(FileZipcodeRepository, "table", read)
            faster = FileZipcodeRepository(belref.data)
            added = await faster.add(Draft(other, "faster.csv", "0" * 64), "bob")
            await faster.activate(Activation(added.id, "bob"), expected=first)
            return await read(self, release)

        monkeypatch.setattr(FileZipcodeRepository, "table", table_while_somebody_else_activates)
        answer = belref("risk", "activate", second)
        third = belref.in_service()
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == (f"{third} was put into service meanwhile, in place of {first}: compare again\n")


class TestRollback:
    def test_goes_back_and_then_further_back(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING, "--activate")
        third = belref.load("wild.csv", WILD, "--activate", "--force")
        assert belref.done("risk", "rollback").startswith(f"{second} is in service again, in place of {third}.\n")
        body = belref.risk("rollback")
        assert (body["release"]["id"], body["in_place_of"], belref.in_service()) == (first, second, first)
        answer = belref("risk", "rollback")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == "No release was in service before the active one\n"
        assert belref("risk", "rollback", "--json").json["error"] == "nothing_to_roll_back_to"

    def test_goes_back_once_however_often_it_is_asked_to_leave_a_release(self, belref: CommandLine) -> None:
        releases = [
            belref.load(f"{n}.csv", table, "--activate", "--force") for n, table in enumerate((AUTUMN, SPRING, WILD))
        ]
        belref.done("risk", "rollback", "--from", "3")
        again = belref("risk", "rollback", "--from", releases[2])
        assert (again.code, belref.in_service()) == (1, releases[1])
        assert again.err.startswith(f"{releases[1]} was put into service meanwhile, in place of {releases[2]}")

    def test_tells_what_it_did_though_the_store_goes_away_right_after(
        self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        belref.load("spring.csv", SPRING, "--activate")
        activate = FileZipcodeRepository.activate

        async def and_gone(self: FileZipcodeRepository, activation: Activation, *, expected: str | None) -> Event:
            event = await activate(self, activation, expected=expected)
            monkeypatch.setattr(FileZipcodeRepository, "history", gone)
            return event

        async def gone(_: FileZipcodeRepository) -> ReleaseHistory:
            raise StorageUnavailable("gone")

        with monkeypatch.context() as patched:
            patched.setattr(FileZipcodeRepository, "activate", and_gone)
            assert belref.done("risk", "rollback").startswith(f"{first} is in service again")

    def test_needs_no_force_however_much_it_changes(self, belref: CommandLine) -> None:
        first = belref.load("wild.csv", WILD, "--activate")
        belref.load("every.csv", "1000 - 9999,A\n", "--activate", "--force")
        belref.done("risk", "rollback")
        assert belref.in_service() == first

    def test_is_refused_where_nothing_was_in_service(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN)
        assert belref("risk", "rollback").code == 1
        belref.done("risk", "activate", "1")
        assert belref("risk", "rollback").code == 1


class TestZipcode:
    def test_is_answered_from_a_release_that_is_named(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING)
        assert belref.done("zipcode", "9200") == f"9200 A (release {first})\n"
        assert belref.done("zipcode", "9200", "--release", "2") == f"9200 B (release {second})\n"
        assert belref.done("zipcode", "9200", "--release", second) == f"9200 B (release {second})\n"
        answer = belref("zipcode", "9200", "--release", "3")
        assert (answer.code, answer.err) == (1, "There is no release '3'\n")

    def test_that_lost_its_factor_is_refused_with_that_fact(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("wild.csv", WILD, "--activate", "--force")
        answer = belref("zipcode", "9200")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == (
            f"Zipcode 9200 has no risk factor in release {second}; "
            f"it had A in release {first}, until {second} took its place\n"
        )

    @pytest.mark.parametrize(
        ("as_of", "code", "message"),
        [
            ("yesterday", 2, "'yesterday' is neither a day"),
            ("2999-01-01", 1, "it lies ahead"),
            ("2001-01-01", 1, "no risk table was in service by then"),
        ],
    )
    def test_at_an_instant_that_cannot_be_told_is_refused(
        self, belref: CommandLine, as_of: str, code: int, message: str
    ) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        answer = belref("zipcode", "9200", "--as-of", as_of)
        assert (answer.code, answer.out) == (code, "")
        assert message in answer.err

    def test_takes_one_of_the_two_alone(self, belref: CommandLine) -> None:
        assert belref("zipcode", "9200", "--as-of", "2024-01-01", "--release", "1").code == 2


def test_two_operators_with_the_same_table_make_one_release(belref: CommandLine) -> None:
    first = belref.load("autumn.csv", AUTUMN)
    table = RiskTable([RiskRange(1000, 1310, RiskFactor.C)])
    release = asyncio.run(FileZipcodeRepository(belref.data).add(Draft(table, "theirs.csv", "0" * 64), "bob"))
    body = belref.risk("load", belref.file("wild.csv", WILD))
    assert (body["known"], body["release"]["id"], body["release"]["created_by"]) == (True, release.id, "bob")
    assert [item["id"] for item in belref.risk("releases")["items"]] == [first, release.id]
