import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import report
from benchmarks.bench import DOCUMENT, missed
from benchmarks.bench_report import figure_table, floor_table, front, memory_table, parts, plot, summary
from benchmarks.figures import CLIENTS, SCENARIOS, Finding, Flooded, Results, Sample, findings
from benchmarks.others import counted_by_wrk
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
    """Two rounds of a hot zipcode, by clients, and a quarter of the URLs."""
    samples = [sample(subject, turn) for turn in (0, 1) for subject in (SERVICE, BARE, LITESTAR, FASTAPI)]
    samples += [sample(subject, turn, "control") for turn in (0, 1) for subject in (BARE, BARE_AGAIN)]
    samples += [sample(subject, 0, part=CLIENTS, clients=n) for n in (1, 64) for subject in (SERVICE, BARE)]
    samples += [sample(SERVICE, 0, "beside")]
    return Results(
        seconds=1.0,
        rounds=2,
        clients=64,
        machine={"machine": "a good one"},
        minutes=3.25,
        samples=samples,
        started={SERVICE: [1.5, 0.95, 0.8]},
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

    def test_a_floor_that_was_given_up_says_so_and_why(self) -> None:
        text = floor_table([Finding("a", 3, Spread(2, 2, 2), argued="too dear")])
        assert "not met, [given up](profile.md): too dear" in text

    def test_the_control_is_the_same_application_beside_itself(self, run: Results) -> None:
        assert "| the same twice, of bare ASGI |  | 1.01 | 1.01 |  |" in floor_table(findings(run))

    def test_its_summary_counts(self) -> None:
        good, bad, unknown = Finding("a", 1, Spread(2, 2, 2)), Finding("b", 3, Spread(2, 2, 2)), Finding("c", 1, None)
        argued = replace(bad, argued="for a reason")
        assert summary([good, bad, argued]).startswith("**Of 3 floors 1 are met, 2 are not (1 of them given up")
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
        assert "18 not measured" in parts(empty)["floors"]
        assert "<svg" in plot(empty)

    def test_the_memory_is_shown_at_round_numbers_at_the_start_and_at_the_end(self, run: Results) -> None:
        rows = [line.split("|")[1].strip() for line in memory_table(run).splitlines()[2:]]
        assert rows == ["0", "10,000", "20,000", "50,000", "100,000", "200,000", "250,000"]

    def test_errors_are_counted_by_kind(self, run: Results) -> None:
        run.samples[0] = replace(run.samples[0], errors={"503": 2_000})
        assert "| 50.0% (503) |" in figure_table(run)

    def test_the_plot_has_a_line_for_everybody_by_clients(self, run: Results) -> None:
        drawing = plot(run)
        for title in ("belref", "bare ASGI"):
            assert drawing.count(f"<title>{title}</title>") >= 4


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


class TestFront:
    def test_it_says_in_words_what_the_tables_say(self, run: Results) -> None:
        text = "\n".join(front(findings(run), asked=250_000))
        assert "0.48 times the CPU of **a bare ASGI application**" in text
        assert "0.10 times the CPU of **a FastAPI handler**" in text
        assert "answered 0.95 s after the start" in text

    def test_it_says_nothing_of_what_was_not_measured(self) -> None:
        assert list(front(findings(Results(seconds=1.0, rounds=0, clients=64, machine={})), asked=0)) == []


class TestWrk:
    SAID = """Running 1s test @ http://127.0.0.1:37077/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.92ms    2.95ms  29.35ms   94.68%
    Req/Sec    70.08k    17.47k  102.95k    80.00%
  Latency Distribution
     50%   19.00us
     75%  365.00us
     90%    2.23ms
     99%   16.98ms
  70088 requests in 1.01s, 17.04MB read
"""

    def test_its_words_are_read(self) -> None:
        found = counted_by_wrk(self.SAID, cpu=0.5)
        assert (found.answered, found.seconds, found.errors) == (70_088, 1.01, {})
        assert (found.p50, found.p99) == pytest.approx((19e-6, 16.98e-3))

    def test_what_it_calls_an_error_is_one(self) -> None:
        bad = "  Socket errors: connect 0, read 3, write 0, timeout 1\n  Non-2xx or 3xx responses: 12\n"
        assert counted_by_wrk(self.SAID + bad, cpu=0.5).errors == {"by wrk": 16}

    def test_other_words_are_an_error(self) -> None:
        with pytest.raises(RuntimeError, match="something else"):
            counted_by_wrk("unable to connect", cpu=0.0)
