"""Every figure that Statbel published comes out of the API as it went in, published and derived alike."""

from pathlib import Path

import httpx2
import pytest
from tests.worlds import NOW, exact, make_app, make_client, make_index

from adapters.bundled import load_snapshot
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.figures import IN_FORCE_SINCE, Month, Provenance, Publication, base_in_force
from domain.health_index.table import IndexTable

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "health-index.md"
PATH = "/v1/health-index"
BUNDLED = load_snapshot()
TABLE = IndexTable(BUNDLED.figures)


@pytest.mark.parametrize("base_year", TABLE.base_years)
async def test_every_published_figure_comes_out_as_it_went_in(client: httpx2.AsyncClient, base_year: int) -> None:
    items = exact(await client.get(f"{PATH}?base_year={base_year}"))["items"]
    answered = {item["month"]: item for item in items}
    published = [figure for figure in BUNDLED.figures if figure.base_year == base_year]
    assert published
    for figure in published:
        item = answered[str(figure.month)]
        assert (str(item["value"]), item["provenance"]) == (str(figure.value), "published")
        if figure.smoothed is not None:
            assert (str(item["smoothed"]), item["smoothed_provenance"]) == (str(figure.smoothed), "published")


async def test_every_month_by_itself_has_the_same_figures(client: httpx2.AsyncClient) -> None:
    compared = 0
    for month in {figure.month for figure in BUNDLED.figures}:
        found = {figure["base_year"]: figure for figure in exact(await client.get(f"{PATH}/{month}"))["figures"]}
        for base_year, figure in found.items():
            known = TABLE.published(month, base_year)
            assert (figure["provenance"] == "published") == (known is not None)
            assert (figure["provenance"] == "estimated") == (base_year < 2013 and known is None and month.year >= 2026)
            assert known is None or str(figure["value"]) == str(known.value)
            compared += known is not None
    assert compared == len(BUNDLED.figures)


async def test_every_published_figure_is_derived_exactly_where_only_the_base_in_force_is_known() -> None:
    in_force = [figure for figure in BUNDLED.figures if figure.base_year == base_in_force(figure.month)]
    known = Publication(tuple(in_force), NOW, "snapshot")
    index = make_index(InMemoryHealthIndexProvider(known), known, lambda: NOW)
    kept, compared = {(figure.base_year, figure.month) for figure in in_force}, 0
    async with make_client(make_app(index=index)) as client:
        for base_year in IN_FORCE_SINCE:
            items = exact(await client.get(f"{PATH}?base_year={base_year}"))["items"]
            for item in items:
                published = TABLE.published(Month.parse(item["month"]), base_year)
                if published is not None and (base_year, published.month) not in kept:
                    assert item["provenance"] == Provenance.DERIVED
                    assert str(item["value"]) == str(published.value), item
                    compared += 1
    assert compared > 1100


async def test_the_worked_examples_of_the_documentation_are_what_is_answered(client: httpx2.AsyncClient) -> None:
    rows = [line.split(" | ") for line in DOCUMENTATION.read_text("utf-8").splitlines() if "| `GET /v1/" in line]
    assert len(rows) == 8
    for _, question, months, base_year, formula in rows:
        body = exact(await client.get(question.strip("`").removeprefix("GET ")))
        assert f"{body['start']['month']}, {body['end']['month']}" == months
        assert str(body["base_year"]) == base_year
        assert body["formula"].removesuffix(" (rounded half up to the cent)") == formula.removesuffix(" |")
