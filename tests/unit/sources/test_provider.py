"""Statbel as a source: which address answers, what is believed, what is remembered."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version

import httpx2
import pytest
from tests.contracts.health_index_provider import PUBLISHED, FallibleHealthIndexProviderContract
from tests.worlds.statbel_files import archive, table, view

from adapters.statbel.provider import Retries, StatbelHealthIndexProvider
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
AT_ONCE = Retries(attempts=3, wait_initial=0, wait_jitter=0, wait_max=0)
OPEN_DATA, VIEW_1, VIEW_2 = "https://data.test/cpi.zip", "https://views.test/1", "https://views.test/2"
EMPTY = IndexTable()
HTML = httpx2.Response(200, html="<html>Are you a human visitor?</html>")

Reply = httpx2.Response | Exception


class Statbel:
    """Plays the publisher: one list of replies for each address, of which the last one is given again and again."""

    def __init__(self, **replies: Reply | Sequence[Reply]) -> None:
        urls = {"open_data": OPEN_DATA, "view_1": VIEW_1, "view_2": VIEW_2}
        self.replies = {
            urls[name]: list(given) if isinstance(given, Sequence) else [given] for name, given in replies.items()
        }
        self.requests: list[httpx2.Request] = []
        self.now = NOW

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        replies = self.replies[str(request.url)]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        # A response can be read once, so each request gets one of its own.
        return httpx2.Response(reply.status_code, headers=reply.headers, content=reply.content)

    def provider(self) -> StatbelHealthIndexProvider:
        return StatbelHealthIndexProvider(
            OPEN_DATA,
            [url for url in (VIEW_1, VIEW_2) if url in self.replies],
            lambda: self.now,
            timeout=20,
            retries=AT_ONCE,
            transport=httpx2.MockTransport(self.handle),
        )


def ok(content: bytes, **headers: str) -> httpx2.Response:
    return httpx2.Response(
        200, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def zipped(figures: Sequence[Figure], **headers: str) -> httpx2.Response:
    return ok(archive(table(figures)), **headers)


class TestContract(FallibleHealthIndexProviderContract):
    def make_provider(self, figures: Sequence[Figure]) -> HealthIndexProvider:
        return Statbel(open_data=zipped(figures)).provider()

    def make_silent_provider(self) -> HealthIndexProvider:
        return Statbel(open_data=httpx2.ConnectError("refused"), view_1=httpx2.Response(500)).provider()


class TestContractOfViews(FallibleHealthIndexProviderContract):
    def make_provider(self, figures: Sequence[Figure]) -> HealthIndexProvider:
        return Statbel(open_data=httpx2.Response(404), view_1=ok(view(figures))).provider()

    def make_silent_provider(self) -> HealthIndexProvider:
        return Statbel(open_data=httpx2.ReadTimeout("")).provider()


class TestSources:
    async def test_the_open_data_come_first_and_alone(self) -> None:
        statbel = Statbel(open_data=zipped(PUBLISHED), view_1=ok(view(PUBLISHED)))
        provider = statbel.provider()
        publication = await provider.publication(EMPTY)
        assert (publication.source, publication.as_of) == ("statbel", NOW)
        assert (provider.answered_by, provider.failures) == ("statbel open data", ())
        assert [str(request.url) for request in statbel.requests] == [OPEN_DATA]

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (httpx2.Response(403), "status 403"),
            (HTML, "web page"),
            (ok(archive(b"nothing")), "NM_YR"),
            (zipped([replace(PUBLISHED[0], value=Decimal("0.01"))]), "disagree"),
            (ok(archive(table(PUBLISHED))[:-9]), "unpacked"),
        ],
        ids=["refused", "captcha", "other table", "not believed", "truncated"],
    )
    async def test_a_view_stands_in_when_the_open_data_fail(self, reply: httpx2.Response, reason: str) -> None:
        provider = Statbel(open_data=reply, view_1=ok(view(PUBLISHED))).provider()
        publication = await provider.publication(IndexTable(PUBLISHED[1:]))
        assert set(publication.figures) == set(PUBLISHED)
        assert provider.answered_by == "be.STAT view 1"
        (failure,) = provider.failures
        assert failure.source == "statbel open data"
        assert reason in str(failure)

    async def test_views_are_asked_in_their_order(self) -> None:
        provider = Statbel(open_data=HTML, view_1=HTML, view_2=ok(view(PUBLISHED))).provider()
        await provider.publication(EMPTY)
        assert provider.answered_by == "be.STAT view 2"
        assert [failure.source for failure in provider.failures] == ["statbel open data", "be.STAT view 1"]

    async def test_when_all_fail_the_error_has_every_reason_and_prefers_a_rejection(self) -> None:
        provider = Statbel(
            open_data=httpx2.Response(500), view_1=HTML, view_2=httpx2.ConnectError("no route")
        ).provider()
        with pytest.raises(SourceRejected) as caught:
            await provider.publication(EMPTY)
        assert (caught.value.source, caught.value.rejection) == ("statbel", Rejection.NOT_DATA)
        for part in ("open data", "status 500", "view 1", "web page", "view 2", "no route"):
            assert part in caught.value.detail
        assert len(provider.failures) == 3
        assert provider.answered_by is None

    async def test_when_none_answers_the_error_has_every_reason(self) -> None:
        provider = Statbel(open_data=httpx2.Response(500), view_1=httpx2.Response(404)).provider()
        with pytest.raises(SourceUnavailable) as caught:
            await provider.publication(EMPTY)
        assert caught.value.source == "statbel"
        assert "status 500" in caught.value.reason
        assert "status 404" in caught.value.reason

    async def test_a_single_source_speaks_for_itself(self) -> None:
        with pytest.raises(SourceUnavailable) as caught:
            await Statbel(open_data=httpx2.Response(500)).provider().publication(EMPTY)
        assert str(caught.value) == "statbel open data does not answer: status 500"

    async def test_a_view_without_a_base_year_is_compared_with_what_is_known(self) -> None:
        base_2004 = [figure for figure in PUBLISHED if figure.base_year == 2004]
        provider = Statbel(open_data=HTML, view_1=ok(view(base_2004, "nl", named_base=False))).provider()
        publication = await provider.publication(IndexTable(PUBLISHED))
        assert list(publication.figures) == base_2004
        with pytest.raises(SourceRejected, match="base year not established"):
            await Statbel(open_data=HTML, view_1=ok(view(base_2004, named_base=False))).provider().publication(EMPTY)


class TestConditionalRequests:
    TAG = '"v1"'
    DATE = "Fri, 27 Nov 2026 09:00:00 GMT"

    async def test_figures_that_did_not_change_are_given_again_as_read_now(self) -> None:
        statbel = Statbel(open_data=[zipped(PUBLISHED, etag=self.TAG, last_modified=self.DATE), httpx2.Response(304)])
        provider = statbel.provider()
        first = await provider.publication(EMPTY)
        for hours in (1, 2):
            statbel.now = NOW + timedelta(hours=hours)
            again = await provider.publication(IndexTable(first.figures))
            assert again.figures == first.figures
            assert again.as_of == statbel.now
            assert statbel.requests[-1].headers["If-None-Match"] == self.TAG
            assert statbel.requests[-1].headers["If-Modified-Since"] == self.DATE

    async def test_the_first_request_has_no_conditions(self) -> None:
        statbel = Statbel(open_data=zipped(PUBLISHED))
        provider = statbel.provider()
        for _ in range(2):
            await provider.publication(EMPTY)
        assert not any(name.startswith("if-") for request in statbel.requests for name in request.headers)

    async def test_a_304_that_nobody_asked_for_is_refused(self) -> None:
        with pytest.raises(SourceRejected, match="304"):
            await Statbel(open_data=httpx2.Response(304)).provider().publication(EMPTY)

    async def test_new_figures_take_the_place_of_the_remembered_ones(self) -> None:
        replies = [zipped(PUBLISHED[:8], etag='"v1"'), zipped(PUBLISHED, etag='"v2"'), httpx2.Response(304)]
        statbel = Statbel(open_data=replies)
        provider = statbel.provider()
        sizes = [len((await provider.publication(EMPTY)).figures) for _ in range(3)]
        assert sizes == [8, len(PUBLISHED), len(PUBLISHED)]
        assert statbel.requests[-1].headers["If-None-Match"] == '"v2"'

    async def test_each_address_is_remembered_for_itself(self) -> None:
        statbel = Statbel(open_data=[HTML, zipped(PUBLISHED)], view_1=ok(view(PUBLISHED), etag=self.TAG))
        provider = statbel.provider()
        for _ in range(2):
            await provider.publication(EMPTY)
        assert provider.answered_by == "statbel open data"
        assert "If-None-Match" not in statbel.requests[-1].headers

    async def test_what_is_not_believed_is_asked_for_whole_again(self) -> None:
        statbel = Statbel(open_data=[zipped(PUBLISHED, etag='"good"'), ok(b"damaged", etag='"bad"'), zipped(PUBLISHED)])
        provider = statbel.provider()
        await provider.publication(EMPTY)
        with pytest.raises(SourceRejected):
            await provider.publication(EMPTY)
        await provider.publication(EMPTY)
        assert "If-None-Match" not in statbel.requests[-1].headers

    async def test_remembered_figures_are_checked_against_what_is_known_by_now(self) -> None:
        provider = Statbel(open_data=[zipped(PUBLISHED[:7], etag=self.TAG), httpx2.Response(304)]).provider()
        await provider.publication(EMPTY)
        far_off = replace(PUBLISHED[7], value=Decimal("150.00"))
        with pytest.raises(SourceRejected, match="jump"):
            await provider.publication(IndexTable([far_off]))

    async def test_a_view_without_a_base_year_is_compared_anew_each_time(self) -> None:
        figures = view([figure for figure in PUBLISHED if figure.base_year == 2013], named_base=False)
        provider = Statbel(open_data=HTML, view_1=[ok(figures, etag=self.TAG), httpx2.Response(304)]).provider()
        for _ in range(2):
            publication = await provider.publication(IndexTable(PUBLISHED))
            assert {figure.base_year for figure in publication.figures} == {2013}
        with pytest.raises(SourceRejected, match="base year not established"):
            await provider.publication(EMPTY)

    @pytest.mark.parametrize("tag", ['"' + "x" * 300 + '"', '"caf\xe9"'])
    async def test_a_tag_that_cannot_be_sent_back_is_forgotten(self, tag: str) -> None:
        reply = httpx2.Response(200, content=archive(table(PUBLISHED)), headers=[(b"ETag", tag.encode("latin-1"))])
        statbel = Statbel(open_data=reply)
        provider = statbel.provider()
        for _ in range(2):
            await provider.publication(EMPTY)
        assert "If-None-Match" not in statbel.requests[-1].headers


class TestLifetime:
    async def test_it_names_the_service_and_its_version(self) -> None:
        statbel = Statbel(open_data=zipped(PUBLISHED))
        await statbel.provider().publication(EMPTY)
        agent = statbel.requests[0].headers["User-Agent"]
        assert agent.startswith(f"belref/{version('belref')} (+")
        assert "Mozilla" not in agent

    async def test_nothing_is_opened_before_the_first_reading_and_closing_twice_is_harmless(self) -> None:
        statbel = Statbel(open_data=zipped(PUBLISHED))
        provider = statbel.provider()
        assert provider._client is None
        await provider.publication(EMPTY)
        for _ in range(2):
            await provider.aclose()
        assert provider._client is None

    async def test_once_closed_it_does_not_answer(self) -> None:
        statbel = Statbel(open_data=zipped(PUBLISHED))
        provider = statbel.provider()
        await provider.aclose()
        with pytest.raises(SourceUnavailable, match="closed"):
            await provider.publication(EMPTY)
        assert statbel.requests == []

    @pytest.mark.parametrize(
        "url", ["ftp://data.test/x", "data.test/x", "", "http://", "https://[::1/x", "http://h:x/"]
    )
    def test_an_address_that_is_not_one_is_refused_at_once_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"the address of statbel open data (cannot be read|is not one)") as caught:
            StatbelHealthIndexProvider(url, [], lambda: NOW, timeout=1)
        assert not url or url not in str(caught.value)

    async def test_giving_up_is_not_taken_for_a_failure_of_the_source(self) -> None:
        asked = asyncio.Event()

        async def hang(_: httpx2.Request) -> httpx2.Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        provider = StatbelHealthIndexProvider(
            OPEN_DATA, [VIEW_1], lambda: NOW, timeout=20, transport=httpx2.MockTransport(hang)
        )
        reading = asyncio.create_task(provider.publication(EMPTY))
        await asked.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert provider.failures == ()
