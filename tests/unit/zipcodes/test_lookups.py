"""The use cases of the health index, over the ports in memory."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryFigureHistory
from domain.clock import Clock
from domain.errors import DomainError, Rejection, SourceRejected, SourceUnavailable
from domain.health_index.calendar import PublicationCalendar, Status
from domain.health_index.figures import BeforeFirstMonth, Correction, Figure, Month, Provenance, Publication
from domain.health_index.table import IndexTable, NoFigure, UnknownBaseYear
from domain.ports import HealthIndexProvider
from domain.use_cases.health_index import HealthIndexService, NotYetPublished, ReversedPeriod

NOON = datetime(2026, 9, 28, 12, tzinfo=UTC)
BUNDLED_AT = datetime(2026, 9, 1, tzinfo=UTC)
BUNDLED = Publication(load_snapshot().figures, BUNDLED_AT, "snapshot")


class Source(HealthIndexProvider):
    """Says what it is told to say, or fails as it is told to."""

    def __init__(self, answer: Publication | DomainError) -> None:
        self.answer = answer
        self.known: IndexTable | None = None

    async def publication(self, known: IndexTable) -> Publication:
        self.known = known
        if isinstance(self.answer, DomainError):
            raise self.answer
        return self.answer


def figure(month: str, base_year: int, value: str) -> Figure:
    return Figure(Month.parse(month), base_year, Decimal(value))


def service(
    *figures: Figure, as_of: datetime = NOON, now: datetime = NOON, bundled: Publication = BUNDLED
) -> HealthIndexService:
    """A service whose source gives these figures."""
    return made(Source(Publication(figures, as_of, "statbel")), bundled, lambda: now)


def made(source: HealthIndexProvider, bundled: Publication, clock: Clock) -> HealthIndexService:
    return HealthIndexService(source, bundled, InMemoryFigureHistory(), clock, PublicationCalendar())


def month(text: str | None) -> Month | None:
    return None if text is None else Month.parse(text)


class TestLatest:
    def test_each_base_year_ends_at_its_own_month(self) -> None:
        assert [(item.base_year, str(item.month)) for item in service().now().latest()] == [
            (2025, "2026-08"),
            (2013, "2026-08"),
            (2004, "2026-08"),
            (1996, "2026-08"),
            (1988, "2026-08"),
        ]
        assert [item.provenance for item in service().now().latest()] == ["derived", "published", *["estimated"] * 3]

    def test_the_latest_that_is_published_may_be_older_and_is_never_computed(self) -> None:
        found = service().now().latest(published=True)
        assert [(item.base_year, str(item.month)) for item in found] == [
            (2025, "2026-07"),
            (2013, "2026-08"),
            (2004, "2024-10"),
            (1996, "2024-10"),
            (1988, "2024-10"),
        ]
        assert [str(item.value) for item in service().now().latest(2013, published=True)] == ["140.30"]
        assert {item.provenance for item in found} == {Provenance.PUBLISHED}

    def test_a_base_year_without_figures_is_refused(self) -> None:
        with pytest.raises(UnknownBaseYear) as caught:
            service().now().latest(2020)
        assert (str(caught.value), caught.value.known) == (
            "There is no base year 2020: figures are published in 2025, 2013, 2004, 1996, 1988",
            (2025, 2013, 2004, 1996, 1988),
        )


class TestOfMonth:
    def test_a_month_has_a_figure_in_every_base_year_that_can_be_had(self) -> None:
        found = service().now().of_month(Month(2022, 4))
        assert [(item.base_year, str(item.value), item.provenance) for item in found] == [
            (2025, "88.21", Provenance.DERIVED),
            (2013, "119.59", Provenance.PUBLISHED),
            (2004, "144.43", Provenance.PUBLISHED),
            (1996, "164.32", Provenance.PUBLISHED),
            (1988, "198.11", Provenance.PUBLISHED),
        ]

    @pytest.mark.parametrize(("asked", "value"), [("1994-01", "69.81"), ("2026-08", "140.30")])
    def test_the_first_month_and_the_latest_have_their_figure(self, asked: str, value: str) -> None:
        assert service().now().of_month(Month.parse(asked), 2013)[0].value == Decimal(value)

    def test_one_base_year_may_be_asked_for(self) -> None:
        assert [item.value for item in service().now().of_month(Month(2022, 4), 2004)] == [Decimal("144.43")]

    @pytest.mark.parametrize(
        ("asked", "base_year", "error"),
        [
            ("2022-04", 2020, UnknownBaseYear),
            ("1993-12", 2020, UnknownBaseYear),
            ("1993-12", None, BeforeFirstMonth),
            ("1993-12", 2013, BeforeFirstMonth),
            ("2026-09", None, NotYetPublished),
            ("2026-09", 2004, NotYetPublished),
            ("9999-12", None, NotYetPublished),
            ("2010-06", 2025, NoFigure),
        ],
    )
    def test_a_question_without_an_answer_is_told_why(
        self, asked: str, base_year: int | None, error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            service().now().of_month(Month.parse(asked), base_year)

    def test_a_month_that_is_missing_in_every_base_year_has_no_figure(self) -> None:
        holed = Publication((figure("2020-01", 2013, "109.72"), figure("2020-03", 2013, "109.66")), NOON, "test")
        with pytest.raises(NoFigure) as caught:
            service(bundled=holed).now().of_month(Month(2020, 2))
        assert (caught.value.month, caught.value.base_year) == (Month(2020, 2), 2013)

    def test_who_asks_too_early_learns_when_the_next_month_is_expected(self) -> None:
        with pytest.raises(NotYetPublished) as caught:
            service().now().of_month(Month(2027, 3))
        assert caught.value.latest_month == Month(2026, 8)
        assert caught.value.next_publication == date(2026, 9, 29)


class TestSeries:
    @pytest.mark.parametrize(
        ("first", "last", "expected_first", "expected_last", "count"),
        [
            ("2020-01", "2020-12", "2020-01", "2020-12", 12),
            ("2022-04", "2022-04", "2022-04", "2022-04", 1),
            ("2026-06", None, "2026-06", "2026-08", 3),
            ("2026-08", None, "2026-08", "2026-08", 1),
            (None, "1994-03", "1994-01", "1994-03", 3),
            (None, "1994-01", "1994-01", "1994-01", 1),
            ("1994-01", "1994-01", "1994-01", "1994-01", 1),
            (None, None, "1994-01", "2026-08", 392),
            ("2026-07", "2030-12", "2026-07", "2026-08", 2),
        ],
    )
    def test_both_ends_are_included_and_it_ends_with_the_latest_month(
        self, first: str | None, last: str | None, expected_first: str, expected_last: str, count: int
    ) -> None:
        found = service().now().series(2013, month(first), month(last))
        assert (str(found[0].month), str(found[-1].month), len(found)) == (expected_first, expected_last, count)

    def test_derived_figures_carry_on_where_published_ones_end(self) -> None:
        found = service().now().series(2004, Month(2024, 9), Month(2024, 12))
        assert [item.provenance.value for item in found] == ["published", "published", "derived", "derived"]

    @pytest.mark.parametrize(
        ("base_year", "first", "last", "error"),
        [
            (2020, None, None, UnknownBaseYear),
            (2013, "2020-02", "2020-01", ReversedPeriod),
            (2013, "1993-12", "2020-01", BeforeFirstMonth),
            (2013, "1993-12", None, BeforeFirstMonth),
            (2013, None, "1993-12", BeforeFirstMonth),
            (2013, "2026-09", None, NotYetPublished),
            (2013, "2026-09", "2026-12", NotYetPublished),
            (2025, "2010-01", "2010-02", NoFigure),
        ],
    )
    def test_a_period_without_an_answer_is_told_why(
        self, base_year: int, first: str | None, last: str | None, error: type[DomainError]
    ) -> None:
        with pytest.raises(error):
            service().now().series(base_year, month(first), month(last))


class TestRefresh:
    async def test_what_is_new_is_taken_over_and_told(self) -> None:
        september = figure("2026-09", 2013, "140.63")
        subject = service(september)
        refresh = await subject.refresh()
        assert (refresh.added, refresh.changed) == ((september,), ())
        assert [item.value for item in subject.now().latest(2013)] == [september.value]
        assert subject.now().table.latest_month == september.month

    async def test_a_corrected_figure_is_taken_over_and_told(self) -> None:
        known, corrected = figure("2026-08", 2013, "140.30"), figure("2026-08", 2013, "140.31")
        subject = service(corrected)
        before = subject.now().table.version
        assert (await subject.refresh()).changed == (Correction(known, corrected),)
        assert [item.value for item in subject.now().latest(2013)] == [corrected.value]
        assert subject.now().table.version != before

    async def test_reading_the_same_again_changes_the_time_of_reading_alone(self) -> None:
        subject = service(figure("2026-08", 2013, "140.30"))
        table = subject.now().table
        refresh = await subject.refresh()
        assert (refresh.added, refresh.changed, subject.now().table is table) == ((), (), True)
        assert (subject.now().freshness.as_of, subject.now().freshness.source) == (NOON, "statbel")

    async def test_of_two_readings_at_one_instant_the_source_s_own_counts(self) -> None:
        subject = service(figure("2026-08", 2013, "140.30"), as_of=BUNDLED_AT)
        await subject.refresh()
        assert subject.now().freshness.source == "statbel"

    async def test_a_reading_older_than_what_is_known_does_not_turn_back_the_clock(self) -> None:
        subject = service(figure("2026-08", 2013, "140.30"), as_of=BUNDLED_AT - timedelta(days=1))
        await subject.refresh()
        assert (subject.now().freshness.as_of, subject.now().freshness.source) == (BUNDLED_AT, "snapshot")

    @pytest.mark.parametrize(
        "answer",
        [
            SourceUnavailable("statbel", "timed out"),
            SourceRejected("statbel", Rejection.NOT_DATA, "<html>"),
            Publication((), NOON, "statbel"),
            Publication((figure("2026-09", 2013, "240.63"),), NOON, "statbel"),
        ],
        ids=["silent", "not data", "empty", "not believed"],
    )
    async def test_what_was_known_stays_when_a_reading_fails(self, answer: Publication | DomainError) -> None:
        subject = made(Source(answer), BUNDLED, lambda: NOON)
        table, freshness = subject.now().table, subject.now().freshness
        with pytest.raises((SourceUnavailable, SourceRejected)):
            await subject.refresh()
        assert (subject.now().table is table, subject.now().freshness) == (True, freshness)

    async def test_the_source_is_shown_what_is_known(self) -> None:
        source = Source(SourceUnavailable("statbel", "timed out"))
        subject = made(source, BUNDLED, lambda: NOON)
        with pytest.raises(SourceUnavailable):
            await subject.refresh()
        assert source.known is subject.now().table

    def test_freshness_follows_the_clock(self) -> None:
        times = iter([NOON, NOON + timedelta(days=1), NOON + timedelta(days=3)])
        clock: Callable[[], datetime] = lambda: next(times)  # noqa: E731 - as short as what it stands for
        subject = made(Source(BUNDLED), BUNDLED, clock)
        assert [subject.now().freshness.status for _ in range(3)] == [Status.FRESH, Status.DUE, Status.OVERDUE]
