import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import bench_tables as tables
from benchmarks.bench_check import missed
from benchmarks.bench_report import render, summary, write
from benchmarks.figures import CLIENTS, PROCESSES, SCENARIOS, Flooded, Floor, Results, Sample, Seen, Spread, floors
from benchmarks.scenarios import BARE, BARE_AGAIN, FASTAPI, LITESTAR, SERVICE

RATES = {SERVICE: 9_500.0, BARE: 10_000.0, LITESTAR: 4_000.0, FASTAPI: 2_000.0, BARE_AGAIN: 10_100.0}


def sample(subject: str, turn: int, scenario: str = "hot", part: str = SCENARIOS, clients: int = 64) -> Sample:
    rate = RATES[subject] + turn
    return Sample(
        part=part,
        scenario=scenario,
        subject=subject,
        round=turn,
        clients=clients,
        rate=rate,
        p50=64 / rate,
        p99=80 / rate,
        cpu=0.95 / rate,
        busy=0.95,
        generator_busy=0.55,
        resident=111_000_000,
        size=378.0,
    )


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
        machine={"CPU": "a good one", "cores": "2"},
        minutes=3.25,
        samples=samples,
        seen={"hot": Seen(200, 48)},
        skipped={"lookup": "this version has no such route"},
        started={SERVICE: [1.5, 1.25, 1.0]},
        flood=[Flooded(asked, 112_000_000 + asked, 3_000.0) for asked in range(0, 250_001, 10_000)],
    )


class TestDocument:
    def test_it_says_of_each_floor_whether_it_is_met(self, run: Results) -> None:
        text = render(run)
        assert "| one hot zipcode, of bare ASGI | at least 0.90 | 0.95 | met |" in text
        assert "| zipcodes of a factor, of bare ASGI | at least 0.90 | - | not measured |" in text

    def test_a_floor_that_is_missed_stands_out(self, run: Results) -> None:
        run.samples = [replace(one, rate=one.rate / 19) if one.subject == SERVICE else one for one in run.samples]
        text = render(run)
        assert "| one hot zipcode, of bare ASGI | at least 0.90 | 0.05 | **not met** |" in text
        assert "2 not: one hot zipcode, of bare ASGI; one hot zipcode, of FastAPI" in text

    def test_it_says_what_was_left_out_and_why(self, run: Results) -> None:
        assert "- left out: 1,000 zipcodes in one request: this version has no such route\n" in render(run)

    def test_ratios_come_before_rates_and_rates_before_memory_and_the_start(self, run: Results) -> None:
        titles = re.findall(r"^## (.*)$", render(run), re.MULTILINE)
        assert titles[:2] == ["The floors", "Ratios"]
        assert titles.index("Ratios") < titles.index("Memory") < titles.index("Start")

    def test_every_row_of_a_table_has_as_many_cells_as_its_head(self, run: Results) -> None:
        blocks = re.findall(r"(?:^\|.*\n)+", render(run), re.MULTILINE)
        assert len(blocks) >= 10
        for block in blocks:
            assert len({line.count("|") for line in block.splitlines()}) == 1

    def test_every_place_of_the_template_is_filled(self, run: Results) -> None:
        assert not re.search(r"\{\w+\}", render(run).replace("`GET /zipcodes/{zipcode}`", ""))

    def test_it_is_written_with_its_plot_beside_it(self, run: Results, tmp_path: Path) -> None:
        write(tmp_path / "new" / "page.md", run)
        assert "](page.svg)" in (tmp_path / "new" / "page.md").read_text("utf-8")
        assert ET.parse(tmp_path / "new" / "page.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own text

    def test_a_run_without_anything_can_be_shown(self) -> None:
        empty = Results(seconds=1.0, rounds=0, clients=64, machine={})
        assert "14 not measured" in render(empty)
        assert "<svg" in tables.plot(empty)


class TestSummary:
    def test_it_counts(self) -> None:
        good, bad, unknown = Floor("a", 1, Spread(2, 2, 2)), Floor("b", 3, Spread(2, 2, 2)), Floor("c", 1, None)
        assert summary([good, bad, unknown]) == "**1 of 3 floors are met. 1 not: b. 1 not measured.**"
        assert summary([good]) == "**1 of 1 floors are met.**"


class TestTables:
    @pytest.mark.parametrize(
        ("value", "text"), [(12_345.6, "12,346"), (12.34, "12.3"), (0.905, "0.91"), (3.0, "3.00"), (float("nan"), "-")]
    )
    def test_a_number_has_the_digits_that_matter(self, value: float, text: str) -> None:
        assert tables.number(value) == text

    def test_a_spread_that_is_none_is_one_number(self) -> None:
        assert tables.shown([2.0, 2.0]) == "2.00"
        assert tables.shown([2.0, 1.0, 3.0]) == "2.00 (1.00 to 3.00)"
        assert tables.shown(None) == "-"

    def test_the_memory_is_shown_at_round_numbers_at_the_start_and_at_the_end(self, run: Results) -> None:
        rows = [line.split("|")[1].strip() for line in tables.memory_table(run).splitlines()[2:]]
        assert rows == ["0", "10,000", "20,000", "50,000", "100,000", "200,000", "250,000"]

    def test_the_control_is_the_same_application_beside_itself(self, run: Results) -> None:
        assert tables.noise(run)["the same twice (bare ASGI of bare ASGI), ratio"] == "1.01"

    def test_errors_are_counted_by_kind(self, run: Results) -> None:
        run.samples[0] = replace(run.samples[0], errors={"503": 1_200})
        assert "| 1,200 (503) |" in tables.figure_table(run)

    def test_the_plot_has_a_line_for_everybody_by_clients_and_by_processes(self, run: Results) -> None:
        drawing = tables.plot(run)
        for title in ("belref", "bare ASGI, fixed bytes"):
            assert drawing.count(f"<title>{title}</title>") >= 6


class TestGuard:
    def test_it_names_what_is_missed_by_more_than_noise(self, run: Results) -> None:
        assert missed(floors(run)) == []
        run.samples = [
            replace(one, rate=one.rate * 0.8, cpu=one.cpu / 0.8) if one.subject == SERVICE else one
            for one in run.samples
        ]
        assert [floor.name for floor in missed(floors(run))] == ["one hot zipcode, of bare ASGI"]
