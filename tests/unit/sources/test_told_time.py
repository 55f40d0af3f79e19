"""The time that Statbel's server tells with an answer, by which a doctor sees that this machine's clock is wrong."""

from datetime import UTC, datetime

import httpx2
import pytest

from adapters.statbel.http import Source, ask

TOLD = "Fri, 27 Nov 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "second"),
    [
        ({"Date": TOLD}, 0),
        ({"Date": TOLD, "Age": "30"}, 30),  # as a cache on the way answers that kept it for so long
        ({"Date": "Fri, 27 Nov 2026 07:00:00 +0100"}, 0),
        ({"Date": "Fri, 27 Nov 2026 06:00:00 -0000"}, 0),
        ({}, None),
        ({"Date": "today"}, None),
        ({"Date": TOLD, "Age": "soon"}, None),
        ({"Date": TOLD, "Age": "9" * 20}, None),
    ],
)
async def test_it_is_that_of_date_and_age_where_both_can_be_read(headers: dict[str, str], second: int | None) -> None:
    source = Source.at("https://data.test/", "test", "*/*", lambda _content, _source: [])
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=b"body"))
    async with httpx2.AsyncClient(transport=transport) as client:
        answer = await ask(client, source, {}, 5)
    assert answer is not None
    expected = None if second is None else datetime(2026, 11, 27, 6, 0, second, tzinfo=UTC)
    assert answer.sent_at == expected
