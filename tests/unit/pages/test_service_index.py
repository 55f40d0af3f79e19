"""What the front page refuses, it refuses for programs too."""

import httpx2
import pytest


@pytest.mark.parametrize("media_type", ["application/json", "text/html"])
@pytest.mark.parametrize("base_year", ["0", "-1", "2020", "x"])
async def test_a_base_year_that_is_none_is_refused(client: httpx2.AsyncClient, media_type: str, base_year: str) -> None:
    answer = await client.get("/", params={"base_year": base_year}, headers={"Accept": media_type})
    assert answer.status_code == 400
