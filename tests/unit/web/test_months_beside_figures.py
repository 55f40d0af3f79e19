"""Every answer that gives a figure gives the month that it is the figure of."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

FIGURES = {"index", "value"}
"""The names under which a figure is given. An amount is none."""


def _figures(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        if any(isinstance(body.get(name), float) for name in FIGURES):
            yield body
        for value in body.values():
            yield from _figures(value)
    elif isinstance(body, list):
        for value in body:
            yield from _figures(value)


@pytest.mark.parametrize(
    "path",
    [
        "/index",
        "/index?year=2013",
        "/v1/health-index/latest",
        "/v1/health-index/2020-01",
        "/v1/health-index?base_year=2013&from=2020-01",
        "/v1/indexations?amount=500&from=2010-06&to=2019-08",
        "/v1/rent-indexations?rent=500&region=brussels&signed_on=2010-07-25&starts_on=2010-09-01&on=2020-01-01",
    ],
)
async def test_a_figure_stands_beside_its_month(client: httpx2.AsyncClient, path: str) -> None:
    figures = list(_figures((await client.get(path)).json()))
    assert figures
    for figure in figures:
        assert len(figure["month"]) == len("2020-01")
