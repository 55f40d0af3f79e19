import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import report
from benchmarks.bench import DOCUMENT, missed
from benchmarks.bench_report import figure_table, floor_table, memory_table, parts, plot, summary
from benchmarks.figures import CLIENTS, PROCESSES, SCENARIOS, Finding, Flooded, Results, Sample, findings
from benchmarks.report import Spread
from benchmarks.scenarios import BARE, BARE_AGAIN, DAY, FASTAPI, LITESTAR, SERVICE, scenarios

RATES = {SERVICE: 21_000.0, BARE: 10_000.0, LITESTAR: 4_000.0, FASTAPI: 2_000.0, BARE_AGAIN: 10_100.0}


def sample(subject: str, turn: int, scenario: str = "hot", part: str = SCENARIOS, clients: int = 64) -> Sample:
    rate = RATES[subject] + turn
    return Sample(
        seconds=1000 / rate,
        answered=1000,
        p50=64 / rate,
        p99=80 / rate,
        errors={},
        cpu={"server 0": 950 / rate, "load": 550 / rate},
        received=378_000,
        part=part,
        scenario=scenario,
        subject=subject,
        round=turn,
        clients=clients,
        resident=111_000_000,
    )


def slower(run: Results, factor: float) -> list[Sample]:
    """The samples of a run, the service having taken so many times as long, and as much CPU."""
    return [
        replace(one, seconds=one.seconds * factor, cpu={**one.cpu, "server 0": one.cpu["server 0"] * factor})
        if one.subject == SERVICE
        else one
        for one in run.samples
    ]


@pytest.fixture
def run() -> Results:
    """Two rounds of a hot zipcode, by clients and by processes, and a quarter of the URLs."""
    samples = [sample(subject, turn) for turn in (0, 1) for subject in (SERVICE, BARE, LITESTAR, FASTAPI)]
    samples += [sample(subject, turn, "control") for turn in (0, 1) for subject in (BARE, BARE_AGAIN)]
    samples += [sample(subject, 0, part=CLIENTS, clients=n) for n in (1, 64) for subject in (SERVICE, BARE)]
    samples += [
        replace(sample(subject, 0, part=PROCESSES), processes=count) for count in (1, 2) for subject in (SERVICE, BARE)
    ]
    return Results(
        seconds=1.0,
        rounds=2,
        clients=64,
        machine={"machine": "a good one"},
        minutes=3.25,
        samples=samples,
        started={SERVICE: [1.5, 1.25, 1.0]},
        flood=[Flooded(asked, 112_000_000 + asked, 3_000.0) for asked in range(0, 250_001, 10_000)],
    )


class TestFloorTable:
    def test_it_says_of_each_floor_whether_it_is_met(self, run: Results) -> None:
        text = floor_table(findings(run))
        assert "| one hot zipcode, of bare ASGI | at least 2.00 | 2.10 | 2.10 | met |" in text
        assert "| one hot zipcode, of Litestar with a table of Structs |  | 5.2" in text
        assert "| zipcodes of a factor, of bare ASGI | at least 1.40 | - | - | not measured |" in text

    def test_a_floor_that_is_missed_stands_out(self, run: Results) -> None:
        run.samples = slower(run, 42)
        assert "| one hot zipcode, of bare ASGI | at least 2.00 | 0.05 | 0.05 | **not met** |" in floor_table(
            findings(run)
        )

    def test_the_control_is_the_same_application_beside_itself(self, run: Results) -> None:
        assert "| the same twice, of bare ASGI |  | 1.01 | 1.01 |  |" in floor_table(findings(run))

    def test_its_summary_counts(self) -> None:
        good, bad, unknown = Finding("a", 1, Spread(2, 2, 2)), Finding("b", 3, Spread(2, 2, 2)), Finding("c", 1, None)
        free = Finding("d", None, Spread(2, 2, 2))
        assert summary([good, bad, unknown, free]) == "**Of 3 floors 1 are met, 1 are not, 1 not measured.**"
        assert summary([good, good]) == "**Of 2 floors 2 are met, 0 are not.**"


class TestTables:
    def test_every_row_of_a_table_has_as_many_cells_as_its_head(self, run: Results) -> None:
        blocks = [block for part in parts(run).values() for block in re.findall(r"(?:^\|.*\n?)+", part, re.MULTILINE)]
        assert len(blocks) == 7
        for block in blocks:
            assert len({line.count("|") for line in block.splitlines()}) == 1

    def test_a_run_without_anything_can_be_shown(self) -> None:
        empty = Results(seconds=1.0, rounds=0, clients=64, machine={})
        assert "15 not measured" in parts(empty)["floors"]
        assert "<svg" in plot(empty)

    def test_the_memory_is_shown_at_round_numbers_at_the_start_and_at_the_end(self, run: Results) -> None:
        rows = [line.split("|")[1].strip() for line in memory_table(run).splitlines()[2:]]
        assert rows == ["0", "10,000", "20,000", "50,000", "100,000", "200,000", "250,000"]

    def test_errors_are_counted_by_kind(self, run: Results) -> None:
        run.samples[0] = replace(run.samples[0], errors={"503": 2_000})
        assert "| 50.0% (503) |" in figure_table(run)

    def test_the_plot_has_a_line_for_everybody_by_clients_and_by_processes(self, run: Results) -> None:
        drawing = plot(run)
        for title in ("belref", "bare ASGI"):
            assert drawing.count(f"<title>{title}</title>") >= 6


class TestNumbers:
    @pytest.mark.parametrize(("value", "text"), [(12_345.6, "12,346"), (12.34, "12.3"), (0.905, "0.91"), (3.0, "3.00")])
    def test_a_number_has_the_digits_that_matter(self, value: float, text: str) -> None:
        assert report.number(value) == text

    def test_a_range_of_equal_values_is_one_number(self) -> None:
        assert report.with_range([2.0, 2.0]) == "2.00"
        assert report.with_range([2.0, 1.0, 3.0]) == "2.00 (1.00 to 3.00)"
        assert report.with_range(None) == report.with_range([float("nan")]) == report.middle([]) == "-"


class TestPage:
    def test_the_page_has_a_place_for_every_part(self, run: Results, tmp_path: Path) -> None:
        output = tmp_path / "new" / "page.md"
        report.write(parts(run), plot(run), page=DOCUMENT, output=output)
        text = output.read_text("utf-8")
        assert "](page.svg)" in text
        for part in parts(run).values():
            assert part in text
        assert ET.parse(tmp_path / "new" / "page.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own text

    def test_parts_are_replaced_between_their_markers_and_nothing_else_is(self, tmp_path: Path) -> None:
        page = tmp_path / "a.md"
        page.write_text("# a\n\n<!-- one: begin -->\nold\n<!-- one: end -->\n\nb\n", "utf-8")
        for _ in range(2):
            report.write({"one": "new"}, "", page=page, output=page)
            assert page.read_text("utf-8") == "# a\n\n<!-- one: begin -->\n\nnew\n\n<!-- one: end -->\n\nb\n"

    def test_a_page_without_a_place_is_left_as_it_is(self, tmp_path: Path) -> None:
        page = tmp_path / "a.md"
        page.write_text("<!-- one: begin -->\n", "utf-8")
        with pytest.raises(ValueError, match="no place for its one"):
            report.write({"one": "new"}, "", page=page, output=page)
        assert page.read_text("utf-8") == "<!-- one: begin -->\n"

    def test_the_page_names_every_scenario_and_the_mixture_of_the_day(self) -> None:
        text = DOCUMENT.read_text("utf-8")
        for scenario in scenarios(etag=""):
            request = scenario.requests(0)[0]
            title = f"{scenario.title}{' (asked before)' if scenario.warm else ''}"
            assert f"| {title} | `{request.method} {request.path}` | {request.status} |" in text
        for kind, weight in DAY.items():
            assert f"| {kind} | {weight} |" in text


class TestGuard:
    def test_it_names_what_is_missed_by_more_than_noise(self, run: Results) -> None:
        assert missed(findings(run)) == []
        run.samples = slower(run, 1.25)
        assert [finding.name for finding in missed(findings(run))] == ["one hot zipcode, of bare ASGI"]
