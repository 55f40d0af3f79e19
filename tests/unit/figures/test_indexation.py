"""Indexing amounts: exact to the cent, whatever the amount, the figures and the settings of the process."""

import ast
import inspect
import re
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, Context, Decimal, FloatOperation, Inexact, Rounded, localcontext
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bundled import load_snapshot
from domain.errors import LogicalError
from domain.health_index import indexation
from domain.health_index.figures import BeforeFirstMonth, Figure, Month
from domain.health_index.indexation import (
    Indexation,
    IndexKind,
    InvalidAmount,
    MixedBaseYears,
    NoSmoothedFigure,
    check_amount,
    index_amount,
    index_of,
    parse_amount,
)
from domain.health_index.table import IndexTable, NoFigure, UnknownBaseYear
from domain.leases import rent
from domain.use_cases.health_index import NotYetPublished

TABLE = IndexTable(load_snapshot().figures)
JANUARY, MAY = Month(2020, 1), Month(2021, 5)

amounts = st.integers(1, 10**11).map(lambda cents: Decimal(cents).scaleb(-2))
indices = st.integers(1, 100_000).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


def in_figures(amount: Decimal, start: Decimal, end: Decimal) -> Indexation:
    return Indexation(amount, Figure(JANUARY, 2013, start), Figure(MAY, 2013, end))


def digits(text: str) -> int:
    """A number with two decimals as a count of hundredths."""
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}", text)
    return int(text.replace(".", ""))


class TestIndexedAmount:
    @pytest.mark.parametrize(
        ("amount", "start", "end", "base_year", "start_index", "end_index", "expected"),
        [
            # Worked examples of property managers and rent calculators.
            pytest.param("500", "2010-06", "2019-08", 2004, "112.74", "131.72", "584.18", id="SMOVIN-1"),
            pytest.param("500", "2021-11", "2022-12", 2013, "115.20", "127.89", "555.08", id="SMOVINAPP-1"),
            pytest.param("600", "2017-03", "2018-04", 2013, "105.32", "106.89", "608.94", id="WEINVEST-1"),
            pytest.param("1000", "2002-02", "2003-02", 1996, "110.09", "111.56", "1013.35", id="2747-1"),
            pytest.param("800", "2021-12", "2023-01", 2013, "115.60", "128.00", "885.81", id="TP-O"),
            # Two rents in a report of RTBF on the index of May 2022.
            pytest.param("1000", "2021-05", "2022-05", 2013, "110.99", "120.25", "1083.43", id="RTBF-1"),
            pytest.param("800", "2021-05", "2022-05", 2013, "110.99", "120.25", "866.74", id="RTBF-2"),
        ],
    )
    def test_published_examples_come_out_to_the_cent(
        self, amount: str, start: str, end: str, base_year: int, start_index: str, end_index: str, expected: str
    ) -> None:
        receipt = index_amount(TABLE.figure, parse_amount(amount), Month.parse(start), Month.parse(end))
        assert (receipt.start.month, receipt.end.month) == (Month.parse(start), Month.parse(end))
        assert (str(receipt.start_index), str(receipt.end_index)) == (start_index, end_index)
        assert (receipt.base_year, receipt.kind) == (base_year, IndexKind.HEALTH)
        assert str(receipt.indexed) == expected

    @given(amounts, indices)
    def test_equal_figures_change_nothing(self, amount: Decimal, index: Decimal) -> None:
        receipt = in_figures(amount, index, index)
        assert (receipt.indexed, str(receipt.ratio)) == (amount, "1.000000")

    def test_equal_months_give_the_amount_back(self) -> None:
        receipt = index_amount(TABLE.figure, Decimal("999.9"), MAY, MAY)
        assert str(receipt.amount) == str(receipt.indexed) == "999.90"

    @given(amounts, indices, indices, indices)
    def test_a_higher_new_figure_never_gives_a_lower_amount(
        self, amount: Decimal, start: Decimal, one: Decimal, other: Decimal
    ) -> None:
        low, high = (in_figures(amount, start, end) for end in sorted((one, other)))
        assert low.indexed <= high.indexed
        assert low.ratio <= high.ratio

    @given(st.integers(0, 4_999_999), st.integers(0, 49_999))
    def test_exact_half_cents_round_up(self, hundreds: int, hundredths: int) -> None:
        odd, end = 2 * hundreds + 1, 2 * hundredths + 1
        receipt = in_figures(Decimal(100 * odd), Decimal("200.00"), Decimal(end).scaleb(-2))
        assert receipt.indexed == Decimal((odd * end + 1) // 2).scaleb(-2)

    @given(amounts, indices, indices)
    def test_the_result_lies_within_half_a_cent_of_the_exact_one(
        self, amount: Decimal, start: Decimal, end: Decimal
    ) -> None:
        receipt = in_figures(amount, start, end)
        paid, got = digits(str(check_amount(amount))), digits(str(receipt.indexed))
        off = 2 * (paid * digits(str(end)) - got * digits(str(start)))
        assert -digits(str(start)) <= off < digits(str(start))

    @pytest.mark.parametrize(
        "context",
        [
            Context(prec=1, rounding=ROUND_DOWN),
            Context(prec=3, rounding=ROUND_CEILING, Emin=0, Emax=0, capitals=0),
            Context(traps=[Inexact, Rounded, FloatOperation]),
        ],
        ids=["one digit", "no exponents", "all trapped"],
    )
    @pytest.mark.parametrize("kind", IndexKind)
    def test_the_settings_of_the_process_have_no_say(self, context: Context, kind: IndexKind) -> None:
        smoothed = Figure(JANUARY, 2013, Decimal("112.74"), Decimal("112.48")), Decimal("999999999.99")
        receipt = Indexation(smoothed[1], smoothed[0], Figure(MAY, 2013, Decimal("131.72"), Decimal("129.02")), kind)
        expected = (receipt.indexed, receipt.ratio, receipt.formula, receipt.rounding)
        with localcontext(context):
            assert check_amount(parse_amount("999999999.99")) == smoothed[1]
            assert (receipt.indexed, receipt.ratio, receipt.formula, receipt.rounding) == expected

    def test_an_end_before_the_start_leads_back(self) -> None:
        receipt = index_amount(TABLE.figure, Decimal("584.18"), Month(2019, 8), Month(2010, 6))
        assert receipt.base_year == 2013
        assert str(receipt.indexed) == "499.98"  # 93.35 and 109.07: another base year than on the way there

    def test_the_base_year_asked_for_is_used_for_both_figures_and_may_change_cents(self) -> None:
        in_2004 = index_amount(TABLE.figure, Decimal(1000), Month(2010, 6), Month(2019, 8))
        in_2013 = index_amount(TABLE.figure, Decimal(1000), Month(2010, 6), Month(2019, 8), base_year=2013)
        assert (in_2004.base_year, str(in_2004.indexed)) == (2004, "1168.35")
        assert (in_2013.base_year, str(in_2013.indexed)) == (2013, "1168.40")
        assert in_2013.start.base_year == in_2013.end.base_year == 2013

    def test_the_smoothed_index_is_another_index(self) -> None:
        kind = IndexKind.SMOOTHED
        receipt = index_amount(TABLE.figure, Decimal(500), Month(2010, 6), Month(2019, 8), kind=kind)
        assert (str(receipt.start_index), str(receipt.end_index)) == ("112.48", "129.02")
        assert str(receipt.indexed) == "573.52"

    @given(amounts, indices, indices)
    def test_the_same_question_has_the_same_answer(self, amount: Decimal, start: Decimal, end: Decimal) -> None:
        one, other = in_figures(amount, start, end), in_figures(amount, start, end)
        assert (one, one.indexed, one.formula) == (other, other.indexed, other.formula)


class TestReceipt:
    @given(amounts, indices, indices)
    def test_a_receipt_recomputes_to_its_own_result_from_its_own_text(
        self, amount: Decimal, start: Decimal, end: Decimal
    ) -> None:
        receipt = in_figures(amount, start, end)
        match = re.fullmatch(
            "(.+) \N{MULTIPLICATION SIGN} (.+) \N{DIVISION SIGN} (.+) = (.+) [(]rounded half up to the cent[)]",
            receipt.formula,
        )
        assert match is not None
        paid, new, old, got = (digits(text) for text in match.groups())
        assert got == (2 * paid * new + old) // (2 * old)
        assert Decimal(got).scaleb(-2) == receipt.indexed

    def test_the_formula_shows_every_number_as_it_went_in(self) -> None:
        receipt = in_figures(Decimal(500), Decimal("112.74"), Decimal("131.72"))
        times, over = "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"
        assert receipt.formula == f"500.00 {times} 131.72 {over} 112.74 = 584.18 (rounded half up to the cent)"
        assert receipt.rounding == "half up to the cent, once, at the end"
        coarse = in_figures(Decimal("0.5"), Decimal("1E+2"), Decimal("1.2E+2"))
        assert coarse.formula.startswith(f"0.50 {times} 120 {over} 100 = 0.60 ")

    @pytest.mark.parametrize(
        ("start", "end", "ratio"),
        [
            ("112.74", "131.72", "1.168352"),
            ("131.72", "112.74", "0.855906"),
            ("20000.00", "0.01", "0.000001"),  # 0.0000005
            ("20000.01", "0.01", "0.000000"),
        ],
    )
    def test_the_ratio_has_six_decimals(self, start: str, end: str, ratio: str) -> None:
        assert str(in_figures(Decimal(1), Decimal(start), Decimal(end)).ratio) == ratio

    def test_a_fraction_of_two_base_years_cannot_be_made(self) -> None:
        with pytest.raises(MixedBaseYears, match="base 2004 and the new index in base 2013"):
            Indexation(Decimal(1), Figure(JANUARY, 2004, Decimal(1)), Figure(MAY, 2013, Decimal(1)))

    def test_an_amount_that_is_none_cannot_be_indexed(self) -> None:
        with pytest.raises(InvalidAmount):
            in_figures(Decimal("0.001"), Decimal(1), Decimal(1))

    @pytest.mark.parametrize(("start", "end", "missing"), [(None, "106", JANUARY), ("106", None, MAY)])
    def test_a_smoothed_figure_that_is_not_known_is_not_replaced_by_another(
        self, start: str | None, end: str | None, missing: Month
    ) -> None:
        figures = [
            Figure(month, 2013, Decimal("109.72"), None if smoothed is None else Decimal(smoothed))
            for month, smoothed in ((JANUARY, start), (MAY, end))
        ]
        with pytest.raises(NoSmoothedFigure) as caught:
            Indexation(Decimal(1), figures[0], figures[1], IndexKind.SMOOTHED)
        assert (caught.value.month, caught.value.base_year) == (missing, 2013)
        assert index_of(figures[0], IndexKind.HEALTH) == Decimal("109.72")


class TestRefusals:
    @pytest.mark.parametrize(("start", "end"), [("1993-12", "2020-01"), ("2020-01", "1993-12"), ("1914-01", "1950-01")])
    @pytest.mark.parametrize("base_year", [None, 2013])
    def test_before_1994_the_consumer_price_index_would_be_needed(
        self, start: str, end: str, base_year: int | None
    ) -> None:
        def look_up(month: Month, base_year: int) -> Figure:
            return Figure(month, base_year, Decimal(100))  # even where it would have an answer

        with pytest.raises(BeforeFirstMonth, match="only the consumer price index"):
            index_amount(look_up, Decimal(1), Month.parse(start), Month.parse(end), base_year=base_year)

    @pytest.mark.parametrize(
        "refusal",
        [
            NotYetPublished(MAY, JANUARY, date(2020, 2, 27)),
            UnknownBaseYear("2020", (2013,)),
            NoFigure(MAY, 2013),
        ],
        ids=["not published yet", "unknown base year", "no figure"],
    )
    def test_what_the_look_up_refuses_is_refused(self, refusal: LogicalError) -> None:
        def look_up(month: Month, base_year: int) -> Figure:
            raise refusal

        with pytest.raises(LogicalError) as caught:
            index_amount(look_up, Decimal(1), JANUARY, MAY)
        assert caught.value is refusal

    def test_an_amount_is_judged_before_any_figure_is_asked_for(self) -> None:
        def look_up(month: Month, base_year: int) -> Figure:
            raise AssertionError(month, base_year)

        with pytest.raises(InvalidAmount):
            index_amount(look_up, Decimal("0.001"), JANUARY, MAY)


@pytest.mark.parametrize("module", [indexation, rent], ids=lambda module: module.__name__)
def test_no_binary_fraction_comes_near_an_amount(module: ModuleType) -> None:
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    assert len(nodes) > 500
    assert not [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, float)]
    assert {node.id for node in nodes if isinstance(node, ast.Name)}.isdisjoint({"float", "round", "sum"})
    assert "math" not in {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
