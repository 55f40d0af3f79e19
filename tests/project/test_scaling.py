"""The arithmetic of what more replicas and a cache in front bring, and the tables that show it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from benchmarks.load import Measured
from benchmarks.scaling_report import KINDS, Observed, Setting, in_front, measured, origin_rate, per_core, write
from hypothesis import given
from hypothesis import strategies as st

from domain.health_index.calendar import PublicationCalendar
from domain.health_index.figures import Month
from domain.risk.tables import FIRST_ZIPCODE, LAST_ZIPCODE
from entrypoints.http.risk.zipcodes import LIFETIME

rates = st.floats(min_value=1e-3, max_value=1e6)
ages = st.floats(min_value=1, max_value=86_400)
counts = st.integers(min_value=1, max_value=10_000)


def observed(replicas: int = 2, *, errors: int = 0) -> Observed:
    each = Measured(
        seconds=10.0,
        answered=5_000,
        p50=0.002,
        p99=0.010,
        errors={"503": errors} if errors else {},
        cpu={"service": 1.0, "postgres": 0.05, "load": 0.3},
    )
    return Observed(
        replicas=replicas,
        seconds=21.0,
        measured=[each] * replicas,
        at_rest=2,
        under_load=3,
        activating=30,
        connections=9,
        listening=4,
        memory=[100 * 2**20, 110 * 2**20][:replicas],
        reached=[0.010, 0.020, 0.030],
    )


class TestWhatACacheInFrontPassesOn:
    @given(rates, counts, ages)
    def test_it_is_never_more_than_what_is_asked_nor_than_each_address_once_in_its_max_age(
        self, rate: float, addresses: int, max_age: float
    ) -> None:
        passed = origin_rate(rate, addresses, max_age)
        assert 0 < passed <= rate
        assert passed <= addresses / max_age

    @given(rates, rates, counts, ages)
    def test_its_share_falls_as_more_is_asked(self, rate: float, more: float, addresses: int, max_age: float) -> None:
        shares = [origin_rate(asked, addresses, max_age) / asked for asked in (rate, rate + more)]
        assert shares[1] <= shares[0] * (1 + 1e-9)

    @given(st.lists(rates, min_size=1, max_size=20), ages)
    def test_it_is_less_where_some_addresses_are_asked_more_than_others(self, each: list[float], age: float) -> None:
        unequal = sum(origin_rate(rate, 1, age) for rate in each)
        assert unequal <= origin_rate(sum(each), len(each), age) * (1 + 1e-9)

    def test_an_address_that_is_asked_once_in_its_max_age_is_asked_of_the_service_every_second_time(self) -> None:
        assert origin_rate(1 / 60, 1, 60) == pytest.approx(1 / 120)

    def test_the_table_has_a_column_for_each_rate(self) -> None:
        head, _, row = in_front([10, 1000], {"a zipcode": (9000, 60)}).splitlines()
        assert head == "| addresses, max-age | 10 /s | 1,000 /s | never more than |"
        assert row == "| a zipcode: 9,000, 60 s | 93.8% | 13.0% | 150 /s |"

    def test_zipcodes_and_latest_answers_are_kept_for_as_long_as_the_service_says(self) -> None:
        assert KINDS["zipcodes"] == (LAST_ZIPCODE - FIRST_ZIPCODE + 1, LIFETIME.total_seconds())
        now, latest = datetime(2026, 9, 10, tzinfo=UTC), Month(2026, 8)
        for kind, month in (("latest figures, by base year", None), ("closed months, by base year", Month(2020, 1))):
            assert KINDS[kind][1] == PublicationCalendar().cache_lifetime(month, latest, now).total_seconds()


class TestTables:
    def test_replicas_count_together_and_their_costs_for_each_look_up(self) -> None:
        seen = observed()
        assert (seen.rate, seen.answered, seen.errors) == (1000.0, 10_000, 0)
        assert seen.service_cpu == pytest.approx(0.0002)
        assert seen.postgres_cpu == pytest.approx(0.05)

    def test_each_figure_has_its_row(self) -> None:
        head, _, *lines = measured([observed(1), observed(2)]).splitlines()
        rows = {name: values for name, *values in (line.strip("| ").split(" | ") for line in lines)}
        assert head == "|  | 1 replica | 2 replicas |"
        assert rows["look-ups per second, all together"] == ["500", "1,000"]
        assert rows["CPU of the service for a look-up, µs"] == ["200", "200"]
        assert rows["CPU of Postgres under load, share of a core"] == ["0.5%", "0.5%"]
        assert rows["memory of a replica, MiB"] == ["100", "105"]
        assert rows["transactions in Postgres, 21 s under load"] == ["3", "3"]
        assert rows["transactions for an activation"] == ["10.0", "10.0"]
        assert rows["activation until all answer from it, ms"] == ["20, at most 30 (of 3)"] * 2

    def test_what_fails_is_shown_and_costs_cpu_too(self) -> None:
        seen = observed(1, errors=5_000)
        assert seen.errors == 5_000
        assert seen.service_cpu == pytest.approx(0.0001)
        assert "| look-ups that failed | 5000 |" in measured([seen])

    def test_a_core_answers_as_often_as_its_time_allows(self) -> None:
        text = per_core([observed(1), observed(2)])
        assert "| look-ups per second of a core that does nothing else | 5,000 |" in text
        assert "| the same, 70% busy | 3,500 |" in text
        assert "| a day, 70% busy | 302 million |" in text
        assert "| cores for 10,000 look-ups per second | 2.9 |" in text

    def test_the_machine_is_named(self) -> None:
        line = Setting("a processor", 2, "0.10", "2026-11-22").line(18, 32)
        assert line.startswith("2026-11-22, a processor with 2 cores (busy before it started: 0.10), ")
        assert line.endswith("Postgres 18; 32 clients in all, on the same machine.")


class TestTheDocument:
    def test_figures_are_replaced_between_their_marks_and_nothing_else_is(self, tmp_path: Path) -> None:
        document = tmp_path / "a.md"
        document.write_text("# a\n\n<!-- figures: begin -->\nold\n<!-- figures: end -->\n\nb\n", "utf-8")
        for _ in range(2):
            write(document, {"figures": "new"})
            expected = "# a\n\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\n\nb\n"
            assert document.read_text("utf-8") == expected

    def test_a_document_without_a_place_is_left_as_it_is(self, tmp_path: Path) -> None:
        document = tmp_path / "a.md"
        document.write_text("<!-- figures: begin -->\n", "utf-8")
        with pytest.raises(ValueError, match="no place for its figures"):
            write(document, {"figures": "new"})
        assert document.read_text("utf-8") == "<!-- figures: begin -->\n"
