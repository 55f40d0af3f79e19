"""The Statbel adapter against a real server, over real sockets."""

import gzip
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.contracts.health_index_provider import PUBLISHED, FallibleHealthIndexProviderContract
from tests.integration.statbel_server import HTML, OPEN_DATA, UNAVAILABLE, VIEW, Answer, Manner, StatbelServer
from tests.worlds.statbel_files import archive, table, view

from adapters.statbel.http import LARGEST_BODY
from adapters.statbel.provider import Retries, StatbelHealthIndexProvider
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.figures import Figure
from domain.health_index.table import IndexTable
from domain.ports import HealthIndexProvider

GOOD = Answer(archive(table(PUBLISHED)))
EMPTY = IndexTable()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatbelServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with StatbelServer() as server:
        yield server


@pytest.fixture
async def provider(server: StatbelServer) -> AsyncIterator[StatbelHealthIndexProvider]:
    provider = made(server)
    yield provider
    await provider.aclose()


def made(server: StatbelServer, *, seconds: float = 5) -> StatbelHealthIndexProvider:
    return StatbelHealthIndexProvider(
        server.open_data_url,
        [server.view_url],
        lambda: datetime.now(UTC),
        timeout=seconds,
        retries=Retries(attempts=3, wait_initial=0, wait_jitter=0, wait_max=0),
    )


class TestContract(FallibleHealthIndexProviderContract):
    @pytest.fixture(autouse=True)
    def _started(self, server: StatbelServer) -> None:
        self.server = server

    def make_provider(self, figures: Sequence[Figure]) -> HealthIndexProvider:
        self.server.publish(figures)
        return made(self.server)

    def make_silent_provider(self) -> HealthIndexProvider:
        self.server.answer(OPEN_DATA, Answer(manner=Manner.SILENT))
        self.server.answer(VIEW, UNAVAILABLE)
        return made(self.server, seconds=0.05)


class TestGoodHealth:
    async def test_the_archive_is_read_and_then_asked_for_conditionally(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        server.publish(PUBLISHED)
        first = await provider.publication(EMPTY)
        second = await provider.publication(IndexTable(first.figures))
        assert set(first.figures) == set(PUBLISHED)
        assert second.figures == first.figures
        assert second.as_of > first.as_of
        assert ["if-none-match" in request.headers for request in server.requests] == [False, True]
        assert all(request.headers["user-agent"].startswith("belref/") for request in server.requests)

    async def test_a_new_publication_is_seen_at_the_next_reading(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        counts = []
        for figures in (PUBLISHED[:8], PUBLISHED):
            server.publish(figures)
            counts.append(len((await provider.publication(EMPTY)).figures))
        assert counts == [8, len(PUBLISHED)]

    async def test_a_view_in_dutch_without_a_base_year_stands_in(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        base_2013 = [figure for figure in PUBLISHED if figure.base_year == 2013]
        server.answer(VIEW, Answer(view(base_2013, "nl", named_base=False)))
        publication = await provider.publication(IndexTable(PUBLISHED))
        assert list(publication.figures) == base_2013
        assert provider.answered_by == "be.STAT view 1"

    async def test_a_redirect_is_followed(self, server: StatbelServer, provider: StatbelHealthIndexProvider) -> None:
        server.answer(OPEN_DATA, Answer(b"moved", status=301, headers={"Location": "/elsewhere.zip"}))
        server.answer("/elsewhere.zip", GOOD)
        assert set((await provider.publication(EMPTY)).figures) == set(PUBLISHED)

    async def test_a_content_encoding_is_undone(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        server.answer(VIEW, Answer(gzip.compress(view(PUBLISHED)), headers={"Content-Encoding": "gzip"}))
        assert set((await provider.publication(EMPTY)).figures) == set(PUBLISHED)

    async def test_a_source_that_was_busy_is_read_when_it_answers_again(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        server.answer(OPEN_DATA, UNAVAILABLE, UNAVAILABLE, GOOD)
        assert set((await provider.publication(EMPTY)).figures) == set(PUBLISHED)
        assert len(server.requests) == 3

    async def test_half_an_answer_is_asked_for_again(
        self, server: StatbelServer, provider: StatbelHealthIndexProvider
    ) -> None:
        server.answer(OPEN_DATA, replace(GOOD, manner=Manner.HALF), GOOD)
        assert set((await provider.publication(EMPTY)).figures) == set(PUBLISHED)
        assert provider.failures == ()


class TestBadHealth:
    """The view answers 404 here, so that it is the open data that count."""

    async def failure(
        self, server: StatbelServer, answer: Answer, seconds: float = 5
    ) -> SourceUnavailable | SourceRejected:
        server.answer(OPEN_DATA, answer)
        provider = made(server, seconds=seconds)
        with pytest.raises((SourceUnavailable, SourceRejected)):
            await provider.publication(EMPTY)
        await provider.aclose()
        assert "status 404" in str(provider.failures[1])
        return provider.failures[0]

    @pytest.mark.parametrize("manner", [Manner.SILENT, Manner.TRICKLE])
    async def test_a_slow_answer_is_given_up_after_the_time_of_the_attempts(
        self, server: StatbelServer, manner: Manner
    ) -> None:
        error = await self.failure(server, replace(GOOD, manner=manner), seconds=0.1)
        assert isinstance(error, SourceUnavailable)
        assert error.reason == "no complete answer within 0.1 s"
        assert [request.path for request in server.requests] == [OPEN_DATA] * 3 + [VIEW]

    async def test_half_an_answer_each_time_is_no_answer(self, server: StatbelServer) -> None:
        error = await self.failure(server, replace(GOOD, manner=Manner.HALF))
        assert isinstance(error, SourceUnavailable)
        assert error.reason.startswith("RemoteProtocolError")

    async def test_a_captcha_with_status_200_is_not_believed(self, server: StatbelServer) -> None:
        error = await self.failure(server, HTML)
        assert isinstance(error, SourceRejected)
        assert error.rejection is Rejection.NOT_DATA

    async def test_an_answer_without_an_end_is_not_read_to_it(self, server: StatbelServer) -> None:
        error = await self.failure(server, Answer(bytes(LARGEST_BODY + 1), manner=Manner.TRICKLE))
        assert isinstance(error, SourceRejected)
        assert error.rejection is Rejection.TOO_LARGE

    async def test_a_304_to_an_open_question_is_not_believed(self, server: StatbelServer) -> None:
        error = await self.failure(server, Answer(status=304))
        assert isinstance(error, SourceRejected)

    @pytest.mark.parametrize(
        "location", ["http://127.0.0.1:99999/", f"http://{'a' * 64}.invalid/", "http://127.0.0.1:1/"]
    )
    async def test_a_redirect_to_nowhere_is_no_answer(self, server: StatbelServer, location: str) -> None:
        error = await self.failure(server, Answer(status=302, headers={"Location": location}))
        assert isinstance(error, SourceUnavailable)

    async def test_a_redirect_to_itself_ends(self, server: StatbelServer) -> None:
        error = await self.failure(server, Answer(status=302, headers={"Location": OPEN_DATA}))
        assert "redirects more than" in str(error)

    async def test_a_server_that_is_gone_is_no_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with StatbelServer() as server:
            provider = made(server)
        with pytest.raises(SourceUnavailable, match="ConnectError"):
            await provider.publication(EMPTY)
        await provider.aclose()
