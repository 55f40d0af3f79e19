"""What the page on rents shows is what is answered."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
from tests.worlds import exact

PAGE = (Path(__file__).parents[3] / "docs" / "rents.md").read_text("utf-8")


def rows(header: str) -> Iterator[list[str]]:
    """The cells of the table with this header."""
    lines = iter(PAGE.splitlines())
    assert header in lines
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def asked(cell: str) -> str:
    return cell.strip("`").removeprefix("GET ")


async def test_every_example_has_its_receipt(client: httpx2.AsyncClient) -> None:
    every = list(rows("| example | question | status | ordinary rent | formula |"))
    assert len(every) == 13
    for _, question, status, ordinary, formula in every:
        body = exact(await client.get(asked(question)))
        assert (body["energy"]["status"], str(body["ordinary_rent"])) == (status, ordinary)
        assert body["energy"]["formula"].removesuffix(" (rounded half up to the cent)") == formula
        assert formula.endswith(f"= {body['indexed_rent']}")


async def test_the_lease_under_every_law_has_these_rents(client: httpx2.AsyncClient) -> None:
    every = list(rows("| region | label | 2022 | 2023 | 2024 | 2025 |"))
    assert len(every) == 36
    lease = {"rent": "900", "signed_on": "2019-08-15", "starts_on": "2019-10-01", "until": "2026-11-27"}
    for region, label, *shown in every:
        question = lease | {"region": region} | ({} if label == "not given" else {"energy_label": label})
        answer = await client.get("/v1/rent-indexations/schedule", params=question)
        if answer.status_code == 200:
            found = [f"{row['indexed_rent']} {row['energy_status']}" for row in exact(answer)["items"][2:]]
        else:
            found = [f"`{answer.json()['type'].rpartition(':')[2]}`"] * 4
        assert found == shown, (region, label)


async def test_every_refusal_is_that(client: httpx2.AsyncClient) -> None:
    every = list(rows("| type | status | question | detail |"))
    assert len(every) == 13
    for kind, status, question, detail in every:
        answer = await client.get(asked(question))
        assert (f"`{answer.json()['type'].removeprefix('urn:problem-type:')}`", str(answer.status_code)) == (
            kind,
            status,
        )
        assert answer.json()["detail"] == detail
