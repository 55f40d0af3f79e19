"""Large batches: in slices that let others be served, and no more than two at a time."""

import asyncio
import json

import httpx2
from tests.worlds import Application, make_client

CASES = {"items": [{"amount": 100 + number, "from": "2010-06", "to": "2019-08"} for number in range(60)]}
SMALL = {"items": CASES["items"][:50]}


async def test_two_are_answered_and_others_are_told_to_come_again(client: httpx2.AsyncClient, app: Application) -> None:
    clients = [make_client(app) for _ in range(4)]
    answers = await asyncio.gather(*(each.post("/v1/indexations", json=CASES) for each in clients))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["type"] == "urn:problem-type:belgif:serviceUnavailable"
    assert (await client.post("/v1/indexations", json=CASES)).status_code == 200


async def test_small_ones_are_answered_however_many_there_are(app: Application) -> None:
    clients = [make_client(app) for _ in range(4)]
    answers = await asyncio.gather(*(each.post("/v1/indexations", json=SMALL) for each in clients))
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_others_are_answered_between_the_slices_of_one(app: Application) -> None:
    async with make_client(app) as many, make_client(app) as one:
        batch = asyncio.create_task(many.post("/v1/indexations", json={"items": CASES["items"] * 10}))
        await asyncio.sleep(0)
        for _ in range(5):
            assert (await one.get("/nothing")).status_code == 404
        assert not batch.done()
        assert json.loads((await batch).content)["total"] == 600
