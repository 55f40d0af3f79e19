"""The table of the open data and the views of be.STAT: what is read from them, and what is refused."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.contracts.health_index_provider import PUBLISHED
from tests.worlds.statbel_files import HEADER, OLD_ROWS, table, view, view_of

from adapters.statbel.formats import UNNAMED_BASE, parse_table, parse_view
from domain.errors import Rejection, SourceRejected
from domain.health_index.figures import Figure, Month

BASE_2013 = [figure for figure in PUBLISHED if figure.base_year == 2013]
APRIL_2022 = Figure(Month(2022, 4), 2004, Decimal("144.43"), Decimal("140.72"))


def refusal(parse: Callable[[bytes, str], list[Figure]], content: bytes) -> Rejection:
    with pytest.raises(SourceRejected) as caught:
        parse(content, "test")
    assert caught.value.source == "test"
    assert len(str(caught.value)) < 200
    return caught.value.rejection


def lines(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows, "")).encode("utf-8-sig")


def row(value: str = "144.43000000", smoothed: str = "140.72000000", month: str = "4", base_year: str = "2004") -> str:
    return f"2022|{month}|116.00000000|.|.|1000|8.31%|{value}|{smoothed}|{base_year}"


def fact(**changes: object) -> dict[str, object]:
    """One English record, with some fields changed."""
    names = {"year": "Year", "month": "Month", "base": "Base year", "value": "Health index"}
    record: dict[str, object] = {
        "Year": "2022",
        "Month": "April 2022",
        "Base year": "2004 = 100",
        "Health index": Decimal("144.43000000000047"),
        "Health index (moving average)": Decimal("140.72"),
    }
    return record | {names[name]: value for name, value in changes.items()}


class TestTable:
    def test_gives_every_base_year_since_1994(self) -> None:
        assert parse_table(table(PUBLISHED), "test") == list(PUBLISHED)

    def test_finds_columns_by_their_code_wherever_they_stand(self) -> None:
        content = lines("2004|new|140.72|144.43|4|2022", header="NM_BASE_YR|X|MS_SMOOTH_IDX|MS_HLTH_IDX|NM_MTH|NM_YR")
        assert parse_table(content, "test") == [APRIL_2022]

    @pytest.mark.parametrize("end", ["\n", "\r\n", ""])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_does_not_mind_line_ends_or_a_byte_order_mark(self, end: str, encoding: str) -> None:
        content = (end or "\n").join((HEADER, row())) + end
        assert parse_table(content.encode(encoding), "test") == [APRIL_2022]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("115.65000000", "115.65"),
            ("116", "116.00"),
            ("115.6", "115.60"),
            ("115.645", "115.65"),
            ("115.655", "115.66"),
            ("115.64499999999999999", "115.64"),
        ],
    )
    def test_rounds_half_up_to_two_decimals(self, written: str, read: str) -> None:
        (figure,) = parse_table(lines(row(written, written)), "test")
        assert (str(figure.value), str(figure.smoothed)) == (read, read)

    def test_takes_a_missing_smoothed_index_for_unknown(self) -> None:
        (figure,) = parse_table(lines(row(smoothed=".")), "test")
        assert figure.smoothed is None

    def test_leaves_out_base_years_without_any_health_index(self) -> None:
        content = lines(*OLD_ROWS, row(), row(value=".", smoothed=".", base_year="1981"))
        assert parse_table(content, "test") == [APRIL_2022]

    def test_refuses_a_month_without_a_figure_in_a_base_year_that_has_others(self) -> None:
        assert refusal(parse_table, lines(row(), row(value=".", month="5"))) is Rejection.MISSING_FIGURE

    def test_a_base_year_of_after_2013_may_begin_with_itself(self) -> None:
        early = row(value=".", smoothed=".", base_year="2025")
        late = row(value="101.63", smoothed="99.38", base_year="2025").replace("2022|4", "2026|3")
        assert [str(figure.month) for figure in parse_table(lines(early, late), "test")] == ["2026-03"]
        missing = row(value=".", base_year="2025").replace("2022|4", "2026|2")
        assert refusal(parse_table, lines(early, missing, late)) is Rejection.MISSING_FIGURE

    def test_refuses_a_half_empty_table(self) -> None:
        content = table(PUBLISHED).decode("utf-8-sig").split("\n")
        half = [
            line.replace(line.split("|")[7], ".") if number % 2 else line for number, line in enumerate(content[4:-1])
        ]
        assert refusal(parse_table, "\n".join((*content[:4], *half, "")).encode()) is Rejection.MISSING_FIGURE

    @pytest.mark.parametrize("content", [lines(), lines(*OLD_ROWS), lines(row(value=".", smoothed="."))])
    def test_refuses_a_table_without_figures(self, content: bytes) -> None:
        assert refusal(parse_table, content) is Rejection.NO_FIGURES

    @pytest.mark.parametrize(
        "number", ["115,65", "NaN", "Infinity", "-115.65", "+1", "1e5", "1_000", "", " 1", "1.", ".5"]
    )
    @pytest.mark.parametrize("place", ["value", "smoothed"])
    def test_refuses_any_other_way_to_write_a_number(self, number: str, place: str) -> None:
        assert refusal(parse_table, lines(row(**{place: number}))) is Rejection.MALFORMED_NUMBER

    @pytest.mark.parametrize("number", ["\u0661\u0661\u0665.65", "9" * 30, "1." + "0" * 30])
    def test_refuses_foreign_digits_and_endless_numbers(self, number: str) -> None:
        assert refusal(parse_table, lines(row(value=number))) is Rejection.MALFORMED_NUMBER

    @pytest.mark.parametrize("month", ["0", "13", "4.0", "", "-1", "April", "004"])
    def test_refuses_what_is_no_month(self, month: str) -> None:
        assert refusal(parse_table, lines(row(month=month))) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("base_year", ["0000", "2004.5", "04", "2004 = 100", ".", "\u0662004"])
    def test_refuses_what_is_no_base_year(self, base_year: str) -> None:
        assert refusal(parse_table, lines(row(base_year=base_year))) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize(
        "header",
        [
            HEADER.replace("MS_HLTH_IDX", "MS_HEALTH_IDX"),
            HEADER.replace("MS_CPI_IDX", "MS_HLTH_IDX"),
            HEADER.replace("|", ";"),
            HEADER.lower(),
            "<html>",
            "",
        ],
    )
    def test_refuses_a_column_that_is_renamed_or_there_twice(self, header: str) -> None:
        assert refusal(parse_table, lines(row(), header=header)) is Rejection.MISSING_COLUMN

    @pytest.mark.parametrize(
        "line", [row() + "|1", row().rpartition("|")[0], HEADER, row()[:40], row() + "\n" + row()[:9]]
    )
    def test_refuses_rows_that_are_cut_off_or_foreign(self, line: str) -> None:
        assert refusal(parse_table, lines(line)) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("content", [lines("9" * 2000), lines(header="NM_YR|" * 400), b"|" * 100_000])
    def test_refuses_a_huge_line(self, content: bytes) -> None:
        assert refusal(parse_table, content) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("content", [b"\xff\xfe", HEADER.encode("utf-16"), table(PUBLISHED) + b"\xe9"])
    def test_refuses_another_encoding(self, content: bytes) -> None:
        assert refusal(parse_table, content) is Rejection.NOT_DATA


class TestView:
    def test_gives_the_figures_with_the_base_year_that_is_named(self) -> None:
        assert parse_view(view(PUBLISHED), "test") == list(PUBLISHED)

    @pytest.mark.parametrize("language", ["en", "nl"])
    def test_says_when_no_base_year_is_named(self, language: str) -> None:
        figures = parse_view(view(BASE_2013, language, named_base=False), "test")
        assert {figure.base_year for figure in figures} == {UNNAMED_BASE}
        assert [(f.month, f.value, f.smoothed) for f in figures] == [(f.month, f.value, f.smoothed) for f in BASE_2013]

    def test_knows_every_month_in_both_languages(self) -> None:
        year = [Figure(Month(2022, number), UNNAMED_BASE, Decimal("100.00")) for number in range(1, 13)]
        for language in ("en", "nl"):
            assert parse_view(view(year, language, named_base=False), "test") == year

    @pytest.mark.parametrize(
        ("written", "read"), [("116", "116.00"), ("69.81000000000024", "69.81"), ("1.005", "1.01"), ("2.675", "2.68")]
    )
    def test_reads_numbers_as_they_are_written_and_rounds_half_up(self, written: str, read: str) -> None:
        (figure,) = parse_view(view_of([fact(value=Decimal(written))]), "test")
        assert str(figure.value) == read

    def test_does_without_a_field_for_the_year(self) -> None:
        record = fact()
        del record["Year"]
        assert parse_view(view_of([record]), "test") == [APRIL_2022]

    def test_leaves_out_totals_and_months_before_1994(self) -> None:
        early = fact(year="1993", month="December 1993", value=None)
        total = dict.fromkeys(fact()) | {"Health index": 12}
        assert parse_view(view_of([early, fact(), total]), "test") == [APRIL_2022]

    def test_refuses_a_month_from_1994_on_without_a_figure(self) -> None:
        missing = fact(year="1994", month="January 1994", value=None)
        assert refusal(parse_view, view_of([missing, fact()])) is Rejection.MISSING_FIGURE

    def test_leaves_out_months_before_a_base_year_of_after_2013(self) -> None:
        early = fact(base="2025 = 100", value=None)
        assert parse_view(view_of([early, fact()]), "test") == [APRIL_2022]

    @pytest.mark.parametrize("facts", [[], [dict.fromkeys(fact())], [fact(year="1993", month="May 1993")]])
    def test_refuses_a_view_without_figures(self, facts: list[object]) -> None:
        assert refusal(parse_view, view_of(facts)) is Rejection.NO_FIGURES

    @pytest.mark.parametrize(
        "value", ["144.43", "144,43", True, {"value": 1}, [144], Decimal(-1), Decimal("1E+2"), Decimal("1E-7")]
    )
    @pytest.mark.parametrize("field", ["Health index", "Health index (moving average)"])
    def test_refuses_an_index_that_is_not_a_plain_number(self, value: object, field: str) -> None:
        assert refusal(parse_view, view_of([fact() | {field: value}])) is Rejection.MALFORMED_NUMBER

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
    def test_refuses_what_json_does_not_know(self, constant: str) -> None:
        content = view_of([fact()]).replace(b"140.72", constant.encode())
        assert refusal(parse_view, content) is Rejection.MALFORMED_NUMBER

    @pytest.mark.parametrize(
        "month",
        [
            "April",
            "2022",
            "avril 2022",
            "April 22",
            "April  2022",
            "April 2022 ",
            "2022-04",
            "April 2023",
            4,
            None,
            ["April"],
        ],
    )
    def test_refuses_a_month_that_cannot_be_read_or_lies_in_another_year(self, month: object) -> None:
        assert refusal(parse_view, view_of([fact(month=month)])) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("year", ["2021", 2022, "", ["2022"], {"2022": 1}])
    def test_refuses_a_year_that_is_not_the_months(self, year: object) -> None:
        assert refusal(parse_view, view_of([fact(year=year)])) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("base", ["2004", "0000 = 100", "2004 = 1000", "2004=100 %", None, 2004, ["2004 = 100"]])
    def test_refuses_a_base_year_that_cannot_be_read(self, base: object) -> None:
        assert refusal(parse_view, view_of([fact(base=base)])) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("name", ["Month", "Health index"])
    def test_refuses_a_renamed_field(self, name: str) -> None:
        content = view_of([fact()]).replace(f'"{name}"'.encode(), b'"Renamed"')
        assert refusal(parse_view, content) is Rejection.MISSING_COLUMN

    def test_refuses_records_of_two_kinds(self) -> None:
        other = {name: value for name, value in fact().items() if name != "Base year"}
        assert refusal(parse_view, view_of([fact(), other])) is Rejection.MALFORMED_RECORD

    def test_refuses_a_field_that_is_there_twice(self) -> None:
        content = view_of([fact()]).replace(b'"Year"', b'"Health index":1,"Year"')
        assert refusal(parse_view, content) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize("facts", [["April"], [[]], [None, fact()], [3]])
    def test_refuses_facts_that_are_no_records(self, facts: list[object]) -> None:
        assert refusal(parse_view, view_of(facts)) is Rejection.MALFORMED_RECORD

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"null", b"[]", b"{}", b"3", b'"facts"', b'{"facts": null}', b'{"facts": {}}', b'{"Facts": []}'),
            *(b"<!DOCTYPE html><html></html>", b'{"facts": [', b"\xff", view(PUBLISHED)[:-1], view(PUBLISHED) + b"]"),
            *(b"[" * 200_000, b'{"facts":' * 100_000, json.dumps({"facts": []}).encode("utf-16")),
        ],
        ids=range(17),
    )
    def test_refuses_what_is_not_a_list_of_facts_in_json(self, content: bytes) -> None:
        assert refusal(parse_view, content) is Rejection.NOT_DATA
