"""One request to Statbel: what is tried again, what is followed, what is too much, and what is said about it."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime

import httpx2
import pytest
from tests.contracts.health_index_provider import PUBLISHED
from tests.worlds.statbel_files import archive, table

from adapters.statbel.http import LARGEST_BODY, MOST_REDIRECTS, Answer, Source, Transient, ask
from adapters.statbel.provider import Retries, StatbelHealthIndexProvider
from domain.errors import Rejection, SourceRejected, SourceUnavailable
from domain.health_index.table import IndexTable

URL = "https://data.test/cpi.zip"
NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)

Handler = Callable[[httpx2.Request], httpx2.Response]


async def answer_of(
    handler: Handler, *, url: str = URL, conditions: Mapping[str, str] | None = None, seconds: float = 5
) -> Answer | None:
    source = Source.at(url, "test", "*/*", lambda _content, _source: [])
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler)) as client:
        return await ask(client, source, conditions or {}, seconds)


def always(response: httpx2.Response) -> Handler:
    return lambda _: response


def raising(error: Exception) -> Handler:
    def handle(_: httpx2.Request) -> httpx2.Response:
        raise error

    return handle


class Chunks(httpx2.AsyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.taken += len(chunk)
            await asyncio.sleep(0)
            yield chunk


class TestRetries:
    async def attempts(self, reply: httpx2.Response | Exception, attempts: int = 3) -> int:
        count = 0

        def handle(_: httpx2.Request) -> httpx2.Response:
            nonlocal count
            count += 1
            if isinstance(reply, Exception):
                raise reply
            return reply

        provider = StatbelHealthIndexProvider(
            URL, [], lambda: NOW, timeout=20, retries=Retries(attempts, 0, 0, 0), transport=httpx2.MockTransport(handle)
        )
        with pytest.raises((SourceUnavailable, SourceRejected)) as caught:
            await provider.publication(IndexTable())
        assert caught.type in {SourceUnavailable, SourceRejected}
        return count

    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    async def test_a_status_that_may_pass_is_tried_again_a_bounded_number_of_times(self, status: int) -> None:
        assert await self.attempts(httpx2.Response(status)) == 3
        assert await self.attempts(httpx2.Response(status), attempts=1) == 1

    @pytest.mark.parametrize(
        "error", [httpx2.ConnectError("refused"), httpx2.ReadTimeout(""), httpx2.RemoteProtocolError("cut off")]
    )
    async def test_a_failure_of_the_transport_is_tried_again(self, error: Exception) -> None:
        assert await self.attempts(error) == 3

    @pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 400, 401, 403, 404, 410, 418, 500, 501, 505])
    async def test_any_other_status_counts_at_once(self, status: int) -> None:
        assert await self.attempts(httpx2.Response(status)) == 1

    @pytest.mark.parametrize("error", [httpx2.DecodingError("bad"), OverflowError("port"), UnicodeError("label")])
    async def test_what_does_not_pass_counts_at_once(self, error: Exception) -> None:
        assert await self.attempts(error) == 1

    async def test_what_is_not_believed_is_not_asked_for_again(self) -> None:
        assert await self.attempts(httpx2.Response(200, content=b"<html>")) == 1

    async def test_a_source_that_recovers_is_read(self) -> None:
        good = httpx2.Response(200, content=archive(table(PUBLISHED)))
        replies = iter([httpx2.Response(503), httpx2.Response(429), good])
        provider = StatbelHealthIndexProvider(
            URL,
            [],
            lambda: NOW,
            timeout=20,
            retries=Retries(3, 0, 0, 0),
            transport=httpx2.MockTransport(lambda _: next(replies)),
        )
        assert set((await provider.publication(IndexTable())).figures) == set(PUBLISHED)
        assert provider.failures == ()


class TestAnswer:
    async def test_has_the_body_and_what_makes_the_next_request_conditional(self) -> None:
        headers = {"ETag": 'W/"1"', "Last-Modified": "Fri, 27 Nov 2026 09:00:00 GMT"}
        answer = await answer_of(always(httpx2.Response(200, content=b"body", headers=headers)))
        assert answer == Answer(
            b"body", {"If-None-Match": 'W/"1"', "If-Modified-Since": "Fri, 27 Nov 2026 09:00:00 GMT"}
        )

    async def test_nothing_new_is_none(self) -> None:
        assert await answer_of(always(httpx2.Response(304)), conditions={"If-None-Match": '"1"'}) is None

    @pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
    async def test_a_content_encoding_is_undone(self, coding: str) -> None:
        body = {"gzip": gzip.compress(b"body"), "deflate": zlib.compress(b"body"), "identity": b"body"}[coding]
        answer = await answer_of(
            always(httpx2.Response(200, stream=Chunks(iter([body])), headers={"Content-Encoding": coding}))
        )
        assert answer is not None
        assert answer.content == b"body"

    async def test_a_damaged_content_encoding_is_not_believed(self) -> None:
        response = httpx2.Response(200, stream=Chunks(iter([b"no gzip"])), headers={"Content-Encoding": "gzip"})
        with pytest.raises(SourceRejected) as caught:
            await answer_of(always(response))
        assert caught.value.rejection is Rejection.NOT_DATA


class TestLimits:
    async def test_the_largest_body_is_read(self) -> None:
        answer = await answer_of(always(httpx2.Response(200, stream=Chunks(iter([b"x" * LARGEST_BODY])))))
        assert answer is not None
        assert len(answer.content) == LARGEST_BODY

    @pytest.mark.parametrize("headers", [{}, {"Content-Length": "10"}])
    async def test_a_larger_one_is_given_up_on_the_way_whatever_it_claims(self, headers: dict[str, str]) -> None:
        stream = Chunks(b"x" * 65536 for _ in range(10_000))
        with pytest.raises(SourceRejected) as caught:
            await answer_of(always(httpx2.Response(200, stream=stream, headers=headers)))
        assert caught.value.rejection is Rejection.TOO_LARGE
        assert stream.taken <= LARGEST_BODY + 65536

    async def test_the_limit_holds_for_what_an_encoding_makes_of_it(self) -> None:
        bomb = gzip.compress(bytes(5 * LARGEST_BODY))
        assert len(bomb) < LARGEST_BODY
        response = httpx2.Response(200, stream=Chunks(iter([bomb])), headers={"Content-Encoding": "gzip"})
        with pytest.raises(SourceRejected) as caught:
            await answer_of(always(response))
        assert caught.value.rejection is Rejection.TOO_LARGE

    async def test_silence_ends_with_the_attempt(self) -> None:
        async def hang(_: httpx2.Request) -> httpx2.Response:
            await asyncio.Event().wait()
            raise AssertionError

        source = Source.at(URL, "test", "*/*", lambda _content, _source: [])
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(hang)) as client:
            with pytest.raises(Transient, match=r"no complete answer within 0\.01 s"):
                await ask(client, source, {}, 0.01)

    async def test_a_trickle_ends_with_the_attempt(self) -> None:
        def drip() -> Iterator[bytes]:
            while True:
                yield b""

        with pytest.raises(Transient, match="no complete answer"):
            await answer_of(always(httpx2.Response(200, stream=Chunks(drip()))), seconds=0.01)


class TestRedirects:
    async def hops(self, *targets: str, start: str = URL) -> list[httpx2.Request]:
        requests: list[httpx2.Request] = []

        def handle(request: httpx2.Request) -> httpx2.Response:
            requests.append(request)
            if len(requests) <= len(targets):
                return httpx2.Response(302, headers={"Location": targets[len(requests) - 1]})
            return httpx2.Response(200, content=b"body")

        assert (await answer_of(handle, url=start, conditions={"If-None-Match": '"1"'})) is not None
        return requests

    async def test_are_followed_with_the_conditions(self) -> None:
        requests = await self.hops("/moved.zip", "https://data.test/there/cpi.zip")
        assert [str(request.url) for request in requests[1:]] == [
            "https://data.test/moved.zip",
            "https://data.test/there/cpi.zip",
        ]
        assert {request.headers["If-None-Match"] for request in requests} == {'"1"'}

    async def test_may_lead_from_http_to_https(self) -> None:
        assert len(await self.hops("https://data.test/", start="http://data.test/")) == 2

    @pytest.mark.parametrize("target", ["http://data.test/", "ftp://data.test/x", "file:///etc/hosts"])
    async def test_never_lead_out_of_https(self, target: str) -> None:
        with pytest.raises(SourceUnavailable, match="redirects to"):
            await self.hops(target)

    async def test_end_after_a_few(self) -> None:
        assert len(await self.hops(*["/again"] * MOST_REDIRECTS)) == MOST_REDIRECTS + 1
        with pytest.raises(SourceUnavailable, match="redirects more than"):
            await self.hops(*["/again"] * (MOST_REDIRECTS + 1))

    @pytest.mark.parametrize("headers", [{}, {"Location": "https://[::1"}, {"Location": "data:,x"}])
    async def test_to_nowhere_are_the_status_they_have(self, headers: dict[str, str]) -> None:
        with pytest.raises(SourceUnavailable, match="status 302"):
            await answer_of(always(httpx2.Response(302, headers=headers)))


class TestCredentials:
    ADDRESS = "https://user:pa%20ss@data.test/cpi.zip"

    async def test_are_sent_to_their_host_and_no_other(self) -> None:
        seen: list[tuple[str, str | None]] = []

        def handle(request: httpx2.Request) -> httpx2.Response:
            seen.append((str(request.url), request.headers.get("Authorization")))
            return (
                httpx2.Response(302, headers={"Location": ["/moved.zip", "https://other.test/"][len(seen) - 1]})
                if len(seen) <= 2
                else httpx2.Response(404)
            )

        with pytest.raises(SourceUnavailable, match="another host"):
            await answer_of(handle, url=self.ADDRESS)
        assert seen == [
            ("https://data.test/cpi.zip", "Basic dXNlcjpwYSBzcw=="),
            ("https://data.test/moved.zip", "Basic dXNlcjpwYSBzcw=="),
        ]

    @pytest.mark.parametrize("reply", [httpx2.Response(401), httpx2.ConnectError("refused"), httpx2.Response(200)])
    async def test_are_in_no_error(self, reply: httpx2.Response | Exception) -> None:
        handler = raising(reply) if isinstance(reply, Exception) else always(reply)
        provider = StatbelHealthIndexProvider(
            self.ADDRESS, [], lambda: NOW, timeout=20, retries=Retries(1), transport=httpx2.MockTransport(handler)
        )
        with pytest.raises((SourceUnavailable, SourceRejected)) as caught:
            await provider.publication(IndexTable())
        assert not any(secret in f"{caught.value} {caught.value!r}" for secret in ("pa%20ss", "pa ss", "user"))


class TestReasons:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (httpx2.ConnectError("All connection\n attempts failed"), "ConnectError: All connection attempts failed"),
            (httpx2.ReadTimeout(""), "ReadTimeout"),
            (socket.gaierror(-2, "Name or service not known"), "gaierror: [Errno -2] Name or service not known"),
        ],
    )
    async def test_are_what_the_driver_says_on_one_line(self, error: Exception, reason: str) -> None:
        with pytest.raises((Transient, SourceUnavailable)) as caught:
            await answer_of(raising(error))
        assert reason in str(caught.value)
        assert caught.value.__cause__ is error

    async def test_are_short(self) -> None:
        with pytest.raises(Transient) as caught:
            await answer_of(raising(httpx2.RemoteProtocolError("x" * 10_000)))
        assert len(str(caught.value)) <= 120
