"""`belref risk check`, `diff`, `releases`, `export` and `log`."""

import os
from decimal import Decimal

import pytest
from tests.worlds.command_line import AUTUMN, SPRING, WILD, CommandLine, cells, stacked


class TestCheck:
    def test_a_valid_table_is_counted(self, belref: CommandLine) -> None:
        out = belref.done("risk", "check", belref.file("autumn.csv", AUTUMN))
        assert out.startswith("autumn.csv is a valid risk table of 5 ranges.\n")
        assert cells(out) == [["A", "2", "72"], ["B", "2", "34"], ["C", "1", "311"], ["all", "5", "417"]]

    def test_it_needs_no_store_and_leaves_none(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        belref.done("risk", "check", belref.file("autumn.csv", AUTUMN))
        assert not belref.data.exists()
        monkeypatch.delenv("DATA_DIR")
        belref.done("risk", "check", "autumn.csv")

    def test_as_json(self, belref: CommandLine) -> None:
        body = belref.risk("check", belref.file("autumn.csv", AUTUMN))
        assert body["valid"] is True
        assert {name: body["draft"][name] for name in ("label", "ranges", "zipcodes", "counts")} == {
            "label": "autumn.csv",
            "ranges": 5,
            "zipcodes": 417,
            "counts": {"A": 72, "B": 34, "C": 311},
        }

    def test_faults_are_refused_with_their_lines(self, belref: CommandLine) -> None:
        answer = belref("risk", "check", belref.file("bad.csv", "1000,[D]\n99,A\n"))
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.splitlines() == [
            "line 1: '[D]' is not a risk factor (A, B or C)",
            "line 2: 99 lies outside 1000 to 9999",
            "Refused: bad.csv has 2 faults.",
        ]

    def test_faults_as_json_are_a_thousand_and_their_number(self, belref: CommandLine) -> None:
        answer = belref("risk", "check", belref.file("bad.csv", "x,A\n" * 1500), "--json")
        assert answer.code == 1
        assert (answer.json["error"], answer.json["refused"]) == ("invalid_risk_table", ["bad.csv has 1,500 faults"])
        assert [fault["line"] for fault in answer.json["faults"]] == list(range(1, 1001))

    def test_a_file_that_is_not_there_is_refused(self, belref: CommandLine) -> None:
        answer = belref("risk", "check", "none.csv")
        assert (answer.code, answer.out) == (1, "")
        assert "none.csv: it cannot be read" in answer.err


class TestDiff:
    def test_of_two_files_needs_no_store(self, belref: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATA_DIR")
        out = belref.done("risk", "diff", belref.file("autumn.csv", AUTUMN), belref.file("spring.csv", SPRING))
        assert out.splitlines()[:3] == ["from autumn.csv", "to   spring.csv", "9170-9240 A→B, 71 zipcodes"]
        assert cells(out) == [
            ["A", "72", "1", "0", "71"],
            ["B", "34", "105", "71", "0"],
            ["C", "311", "311", "0", "0"],
        ]
        assert out.splitlines()[-1] == (
            "71 of 417 zipcodes change (17.1 %): 0 added, 0 removed, 71 with another factor."
        )

    def test_of_one_name_starts_from_what_is_in_service(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        out = belref.done("risk", "diff", belref.file("spring.csv", SPRING))
        assert out.splitlines()[:2] == [f"from {first} (autumn.csv, active)", "to   spring.csv"]

    def test_starts_from_nothing_where_nothing_is_in_service(self, belref: CommandLine) -> None:
        out = belref.done("risk", "diff", belref.file("autumn.csv", AUTUMN))
        assert out.startswith("from nothing: no release is in service\nto   autumn.csv\n1000-1310 none→C, 311 zipcodes")
        assert not belref.data.exists()

    def test_takes_releases_by_id_and_by_number_in_the_order_given(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING)
        out = belref.done("risk", "diff", "2", first)
        assert out.splitlines()[:3] == [
            f"from {second} (spring.csv, staged)",
            f"to   {first} (autumn.csv, active)",
            "9170-9240 B→A, 71 zipcodes",
        ]

    def test_an_existing_file_goes_before_a_release(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        assert belref.risk("diff", "1")["to"]["label"] == "autumn.csv"
        belref.file("1", SPRING)
        assert belref.risk("diff", "1")["to"]["file"] == "1"
        assert belref.risk("diff", f".{os.sep}1")["to"]["file"] == f".{os.sep}1"

    def test_equal_tables_do_not_differ_however_they_are_written(self, belref: CommandLine) -> None:
        belref.file("one.csv", "1000 - 1002,A\n")
        belref.file("two.csv", "first,last,risk_factor\n1001,1002,A\n1000,1000,A\n")
        out = belref.done("risk", "diff", "one.csv", "two.csv", "--exit-code")
        assert out.splitlines()[-1] == "No zipcode changes."

    def test_exits_with_1_for_tables_that_differ_only_when_asked(self, belref: CommandLine) -> None:
        files = belref.file("autumn.csv", AUTUMN), belref.file("spring.csv", SPRING)
        assert belref("risk", "diff", *files).code == 0
        answer = belref("risk", "diff", *files, "--exit-code")
        assert (answer.code, answer.err) == (1, "")
        assert "9170-9240 A→B, 71 zipcodes" in answer.out

    def test_no_more_than_40_ranges_are_shown_unless_all_are_asked_for(self, belref: CommandLine) -> None:
        belref.file("old.csv", "".join(f"{zipcode},A\n" for zipcode in range(1000, 1200, 2)))
        belref.file("new.csv", "".join(f"{zipcode},B\n" for zipcode in range(1000, 1200, 2)))
        cut = belref.done("risk", "diff", "old.csv", "new.csv").splitlines()
        assert sum("→" in line for line in cut) == 40
        assert "... and 60 more (--all shows them)" in cut
        whole = belref.done("risk", "diff", "old.csv", "new.csv", "--all")
        assert whole.count("→") == 100
        assert len(belref.risk("diff", "old.csv", "new.csv")["items"]) == 100

    def test_as_json(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        body = belref.risk("diff", belref.file("spring.csv", SPRING))
        assert body.pop("to")["file"] == "spring.csv"
        assert body == {
            "from": {"release": first, "label": "autumn.csv"},
            "equal": False,
            "added": 0,
            "removed": 0,
            "changed": 71,
            "covered": 417,
            "share": Decimal("17.03"),
            "by_factor": {
                "A": {"before": 72, "after": 1, "gained": 0, "lost": 71},
                "B": {"before": 34, "after": 105, "gained": 71, "lost": 0},
                "C": {"before": 311, "after": 311, "gained": 0, "lost": 0},
            },
            "items": [{"first": 9170, "last": 9240, "before": "A", "after": "B", "zipcodes": 71}],
            "total": 1,
        }

    def test_a_name_of_nothing_is_refused(self, belref: CommandLine) -> None:
        answer = belref("risk", "diff", "autum.csv")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == "There is neither a file nor a release 'autum.csv'\n"

    def test_a_file_with_faults_is_named(self, belref: CommandLine) -> None:
        answer = belref("risk", "diff", belref.file("good.csv", AUTUMN), belref.file("bad.csv", "1000,D\n"))
        assert answer.code == 1
        assert answer.err.splitlines()[-1] == "Refused: bad.csv has 1 fault."


class TestReleases:
    def test_are_listed_with_where_they_stand(self, belref: CommandLine) -> None:
        assert belref.done("risk", "releases") == "There is no release yet.\n"
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING, "--activate", "--by", "bob", "--label", "[bold]spring")
        third = belref.load("wild.csv", WILD)
        rows = stacked(belref.done("risk", "releases"))
        assert [row[:2] for row in rows] == [
            [[first, "retired"], ["A 72", "B 34", "C 311"]],
            [[second, "active"], ["A 1", "B 105", "C 311"]],
            [[third, "staged"], ["A 0", "B 0", "C 311"]],
        ]
        assert [len(row[2]) for row in rows] == [2, 1, 0]  # since when, and until when
        assert [row[3][1:] for row in rows] == [["anna", "autumn.csv"], ["bob", "[bold]spring"], ["anna", "wild.csv"]]

    def test_as_json(self, belref: CommandLine) -> None:
        assert belref.risk("releases") == {"active": None, "items": [], "total": 0}
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        body = belref.risk("releases")
        assert (body["active"], body["total"]) == (first, 1)
        item = body["items"][0]
        assert (item["id"], item["number"], item["status"], item["created_by"]) == (first, 1, "active", "anna")
        assert item["created_at"].endswith("Z")
        assert item["activated_at"] > item["created_at"]
        assert item["retired_at"] is None
        assert len(item["source_sha256"]) == len(item["table_sha256"]) == 64


class TestExport:
    @pytest.mark.parametrize("form", ["--csv", "--json"])
    def test_what_is_exported_and_loaded_again_is_the_same_release(self, belref: CommandLine, form: str) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        belref.file("again", belref.done("risk", "export", form))
        loaded = belref.risk("load", "again")
        assert (loaded["known"], loaded["release"]["id"]) == (True, first)

    def test_is_csv_with_a_header_of_what_is_in_service(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        belref.load("wild.csv", WILD)
        lines = belref.done("risk", "export").splitlines()
        assert lines[:2] == ["first,last,risk_factor", "1000,1310,C"]
        assert len(lines) == 6
        assert belref.done("risk", "export", "2").splitlines() == ["first,last,risk_factor", "1000,1310,C"]

    def test_goes_whole_into_a_file(self, belref: CommandLine) -> None:
        release = belref.load("autumn.csv", AUTUMN, "--activate")
        belref.file("table.csv", "what was there before")
        answer = belref("risk", "export", "--output", "table.csv")
        assert (answer.code, answer.out) == (0, "")
        assert answer.err == f"table.csv: 5 ranges of {release}, as CSV.\n"
        assert (belref.folder / "table.csv").read_text().splitlines()[1] == "1000,1310,C"
        assert {path.name for path in belref.folder.iterdir()} == {"autumn.csv", "data", "table.csv"}

    def test_a_file_that_cannot_be_written_is_refused(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        answer = belref("risk", "export", "--output", "nowhere/table.csv")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.endswith("table.csv cannot be written: No such file or directory\n")

    def test_is_refused_where_nothing_is_in_service(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN)
        answer = belref("risk", "export")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err == "No release is in service: name one\n"
        assert belref("risk", "export", "--json").json == {
            "error": "no_active_release",
            "refused": ["No release is in service: name one"],
        }


class TestLog:
    def test_says_what_was_done_when_and_by_whom(self, belref: CommandLine) -> None:
        assert belref.done("risk", "log") == "Nothing was ever loaded.\n"
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("wild.csv", WILD, "--activate", "--force", "--by", "bob")
        belref.done("risk", "rollback", "--by", "carla")
        rows = stacked(belref.done("risk", "log"))
        assert [(*row[0], row[1][1], *row[2], *row[3]) for row in rows] == [
            ("1", "anna", "loaded", first),
            ("2", "anna", "activated", first),
            ("3", "bob", "loaded", second),
            ("4", "bob", "activated, forced", second),
            ("5", "carla", "rolled back", first),
        ]
        instants = [row[1][0] for row in rows]
        assert instants == sorted(instants)
        assert all(len(each) == len("2026-01-01T00:00:00.000000Z") for each in instants)

    def test_as_json_the_last_lines(self, belref: CommandLine) -> None:
        belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("wild.csv", WILD, "--activate", "--force")
        body = belref.risk("log", "--limit", "1")
        (event,) = body["items"]
        assert event.pop("at").endswith("Z")
        assert event == {
            "number": 4,
            "kind": "activated",
            "release": second,
            "by": "anna",
            "forced": True,
            "withdrawn": [
                {"first": 1315, "last": 1315, "risk_factor": "B"},
                {"first": 1320, "last": 1320, "risk_factor": "A"},
                {"first": 9000, "last": 9032, "risk_factor": "B"},
                {"first": 9170, "last": 9240, "risk_factor": "A"},
            ],
        }
        assert [each["number"] for each in belref.risk("log", "--limit", "9")["items"]] == [1, 2, 3, 4]

    def test_its_instants_can_be_asked_about(self, belref: CommandLine) -> None:
        first = belref.load("autumn.csv", AUTUMN, "--activate")
        second = belref.load("spring.csv", SPRING, "--activate")
        rows = stacked(belref.done("risk", "log"))
        by_release = {row[3][0]: row[1][0] for row in rows if row[2] == ["activated"]}
        assert belref.done("zipcode", "9170", "--as-of", by_release[first]) == f"9170 A (release {first})\n"
        assert belref.done("zipcode", "9170", "--as-of", by_release[second]) == f"9170 B (release {second})\n"
