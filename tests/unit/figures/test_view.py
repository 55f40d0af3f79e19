"""What a question about figures asks of the table, and what it leaves alone."""

import pytest
from tests.worlds import NOW, make_index

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.figures import Month
from domain.health_index.table import IndexTable, UnknownBaseYear
from domain.use_cases.health_index import IndexView

APRIL = Month(2022, 4)


@pytest.fixture
def view() -> IndexView:
    bundled = load_snapshot()
    return make_index(InMemoryHealthIndexProvider(bundled), bundled, lambda: NOW).now()


def test_a_table_requires_a_base_year_in_which_a_figure_is_published(view: IndexView) -> None:
    view.table.require(2004)
    with pytest.raises(UnknownBaseYear):
        view.table.require(2005)


@pytest.mark.parametrize("base_year", [2013, 2004])
def test_a_question_about_one_month_smooths_no_other(
    view: IndexView, base_year: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    months: list[Month] = []
    by_rule = IndexTable.smoothed_by_rule

    def counting(table: IndexTable, month: Month, base: int) -> object:
        months.append(month)
        return by_rule(table, month, base)

    monkeypatch.setattr(IndexTable, "smoothed_by_rule", counting)
    view.figure(APRIL, base_year)
    view.of_month(APRIL)
    assert set(months) <= {APRIL}
