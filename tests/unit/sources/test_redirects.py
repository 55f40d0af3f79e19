"""A redirect stays with the host of the setting: elsewhere it could reach what only this machine reaches."""

import httpx2
import pytest

from adapters.statbel.http import Answer, Source, ask
from domain.errors import SourceUnavailable


async def follow(start: str, location: str) -> tuple[list[str], Answer | SourceUnavailable | None]:
    """The addresses that are asked, and the outcome, when the first one redirects."""
    asked: list[str] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if len(asked) == 1:
            return httpx2.Response(302, headers={"Location": location})
        return httpx2.Response(200, content=b"body")

    source = Source.at(start, "test", "*/*", lambda _content, _source: [])
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handle)) as client:
        try:
            return asked, await ask(client, source, {}, 5)
        except SourceUnavailable as error:
            return asked, error


@pytest.mark.parametrize(
    "location",
    [
        "https://other.test/cpi.zip",
        "https://www.data.test/cpi.zip",
        "//other.test/cpi.zip",
        "https://data.test:8443/cpi.zip",
        "https://data.test@other.test/cpi.zip",
        "https://127.0.0.1/latest/meta-data",
        "https://localhost:6379/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://192.168.0.1/",
        "https://[fd00::1]/",
    ],
)
async def test_another_host_is_never_asked(location: str) -> None:
    asked, outcome = await follow("https://data.test/cpi.zip", location)
    assert asked == ["https://data.test/cpi.zip"]
    assert isinstance(outcome, SourceUnavailable)
    assert "it redirects to another host, " in outcome.reason
    assert "if that is right, set its address to one there" in outcome.reason


async def test_the_host_is_named_without_what_stands_before_it_and_not_at_any_length() -> None:
    _, outcome = await follow("https://data.test/", f"https://user:secret@{'a.' * 120}test:99/")
    assert "secret" not in str(outcome)
    assert len(str(outcome)) < 250


@pytest.mark.parametrize(
    ("start", "location"),
    [
        ("https://data.test/cpi.zip", "/moved.zip"),
        ("https://data.test/cpi.zip", "https://DATA.test:443/moved.zip"),
        ("http://data.test/cpi.zip", "https://data.test/cpi.zip"),
        ("http://data.test:8000/cpi.zip", "https://data.test:8000/cpi.zip"),
        ("http://127.0.0.1:8000/cpi.zip", "/moved.zip"),
        ("http://10.0.0.1/cpi.zip", "http://10.0.0.1/moved.zip"),
    ],
)
async def test_the_host_of_the_setting_is_asked_again_wherever_it_is(start: str, location: str) -> None:
    asked, outcome = await follow(start, location)
    assert len(asked) == 2
    assert outcome == Answer(b"body", {})
