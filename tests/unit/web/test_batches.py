"""Many indexations at once: each a result or a problem, in the order and number of the cases."""

import json
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds.examples import slow

INDEXATIONS, RENTS = "/v1/indexations", "/v1/rent-indexations"
CASE = {"amount": "500", "from": "2010-06", "to": "2019-08"}
RENT_CASE = {
    "rent": "500",
    "region": "brussels",
    "signed_on": "2010-07-25",
    "starts_on": "2010-09-01",
    "on": "2020-01-01",
}
MIB = 1024 * 1024

both = pytest.mark.parametrize(("path", "case"), [(INDEXATIONS, CASE), (RENTS, RENT_CASE)], ids=["amounts", "rents"])


async def post(client: httpx2.AsyncClient, path: str, body: bytes | str) -> httpx2.Response:
    return await client.post(path, content=body, headers={"Content-Type": "application/json"})


async def outcomes(client: httpx2.AsyncClient, path: str, *cases: Any) -> list[dict[str, Any]]:
    """What came of each, with the numbers as decimals."""
    answer = await client.post(path, json={"items": list(cases)})
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text, parse_float=Decimal)
    assert body["total"] == len(body["items"]) == len(cases)
    found: list[dict[str, Any]] = body["items"]
    assert all(len(outcome) == 1 for outcome in found)
    return found


def kind(outcome: dict[str, Any]) -> str:
    found: str = outcome["problem"]["type"].removeprefix("urn:problem-type:")
    return found


class TestAnswers:
    @both
    async def test_a_result_is_the_receipt_of_the_single_question(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str]
    ) -> None:
        single = await client.get(path, params=case)
        assert single.status_code == 200
        (outcome,) = await outcomes(client, path, case)
        assert outcome["result"] == json.loads(single.text, parse_float=Decimal)

    @both
    async def test_a_problem_is_the_one_of_the_single_question(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str]
    ) -> None:
        wrong = {**case, "rent" if path == RENTS else "amount": "500.005"}
        single = (await client.get(path, params=wrong)).json()
        (outcome,) = await outcomes(client, path, wrong)
        for name in ("type", "title", "status", "detail"):
            assert outcome["problem"][name] == single[name]

    async def test_good_and_bad_cases_stand_side_by_side(self, client: httpx2.AsyncClient) -> None:
        cases = [
            CASE,
            {**CASE, "from": "1993-12"},
            {**CASE, "base_year": 2013},
            7,
            {**CASE, "from": "2010-13"},
            {**CASE, "index": "smoothed"},
            {**CASE, "to": "2026-09"},
        ]
        found = await outcomes(client, INDEXATIONS, *cases)
        assert [str(o["result"]["indexed"]) if "result" in o else kind(o) for o in found] == [
            "584.18",
            "belref:beforeFirstMonth",
            "584.20",
            "belgif:badRequest",
            "belgif:badRequest",
            "573.52",
            "belref:notYetPublished",
        ]
        assert found[6]["problem"]["next_publication"] == "2026-09-29"
        assert found[4]["problem"]["issues"][0]["in"] == "body"

    @slow(80)
    @given(cents=st.lists(st.integers(-5, 10**6), max_size=40))
    async def test_order_and_number_are_those_of_the_cases(self, client: httpx2.AsyncClient, cents: list[int]) -> None:
        amounts = [Decimal(each).scaleb(-2) for each in cents]
        found = await outcomes(client, INDEXATIONS, *({**CASE, "amount": str(amount)} for amount in amounts))
        assert [o["result"]["amount"] if "result" in o else None for o in found] == [
            amount if amount > 0 else None for amount in amounts
        ]

    @both
    async def test_no_case_is_no_outcome(self, client: httpx2.AsyncClient, path: str, case: dict[str, str]) -> None:
        assert await outcomes(client, path) == []

    @both
    async def test_an_instant_holds_for_every_case(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str]
    ) -> None:
        body = {"items": [case, case], "as_of": "2024-03-01T12:00:00+01:00"}
        answer = await client.post(path, json=body)
        assert [o["result"]["as_of"] for o in answer.json()["items"]] == ["2024-03-01T11:00:00Z"] * 2

    @both
    async def test_nobody_keeps_the_answer(self, client: httpx2.AsyncClient, path: str, case: dict[str, str]) -> None:
        answer = await client.post(path, json={"items": [case]})
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


class TestAmounts:
    @pytest.mark.parametrize("amount", ["500", "500.0", "500.00", '"500"', '"500.0"', '"\\u0035\\u0030\\u0030"', "5e2"])
    async def test_strings_and_numbers_are_alike(self, client: httpx2.AsyncClient, amount: str) -> None:
        case = f'{{"amount":{amount},"from":"2010-06","to":"2019-08"}}'
        rent = json.dumps({**RENT_CASE, "rent": "?"}).replace('"?"', amount)
        indexed = json.loads((await post(client, INDEXATIONS, f'{{"items":[{case}]}}')).text, parse_float=str)
        indexed_rent = json.loads((await post(client, RENTS, f'{{"items":[{rent}]}}')).text, parse_float=str)
        assert (indexed["items"][0]["result"]["amount"], indexed["items"][0]["result"]["indexed"]) == (
            "500.00",
            "584.18",
        )
        assert (indexed_rent["items"][0]["result"]["rent"], indexed_rent["items"][0]["result"]["indexed_rent"]) == (
            "500.00",
            "584.18",
        )

    async def test_every_cent_of_a_number_is_read(self, client: httpx2.AsyncClient) -> None:
        case = '{"amount":999999999.99,"from":"2010-06","to":"2010-06"}'
        answer = await post(client, INDEXATIONS, f'{{"items":[{case}]}}')
        assert '"amount":999999999.99,"indexed":999999999.99,' in answer.text

    @pytest.mark.parametrize(
        "amount",
        [
            *["0", "-500", "500.005", "0.30000000000000004", "999999999.9900000000001", "1000000000.01", "1e400"],
            *['"NaN"', '"Infinity"', '"5e2"', '"500 "', '"5_00"', '"-0"', '"\u0665\u0660\u0660"', '"500,00"', '""'],
            *["9" * 5000, f'"{"9" * 5000}"', "1." + "0" * 5000],
        ],
        ids=lambda amount: amount[:24],
    )
    @both
    async def test_what_is_no_amount_is_a_problem_of_its_case_alone(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str], amount: str
    ) -> None:
        name = "rent" if path == RENTS else "amount"
        wrong = json.dumps({**case, name: "?"}).replace('"?"', amount)
        answer = await post(client, path, f'{{"items":[{wrong},{json.dumps(case)}]}}')
        bad, good = answer.json()["items"]
        assert kind(bad) == "belref:invalidAmount"
        assert [(issue["in"], issue["name"]) for issue in bad["problem"]["issues"]] == [("body", name)]
        assert len(answer.content) < 4000  # no more than the beginning of it is repeated
        assert "result" in good

    @pytest.mark.parametrize("amount", ["null", "true", "[]", "{}", "1e999999999999999999999"])
    async def test_what_is_no_number_either_is_a_problem_too(self, client: httpx2.AsyncClient, amount: str) -> None:
        answer = await post(client, INDEXATIONS, f'{{"items":[{{"amount":{amount},"from":"2010-06","to":"2019-08"}}]}}')
        assert kind(answer.json()["items"][0]) == "belgif:badRequest"


class TestShape:
    @both
    async def test_a_thousand_cases_are_taken_and_not_one_more(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str]
    ) -> None:
        assert len(await outcomes(client, path, *[case] * 1000)) == 1000
        answer = await client.post(path, json={"items": [case] * 1001})
        assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "items")

    @pytest.mark.parametrize(
        "body",
        [
            *["", "{}", "null", "[]", "7", '"x"', '{"items":null}', '{"items":{}}', '{"items":7}', '{"items":[}'],
            *['{"items":[],"more":1}', '{"items":[],"as_of":7}', '{"items":[]}{}', '{"items":[NaN]}', "\ufeff{}"],
            *['{"items":[{"amount":NaN}]}', '{"items":[{"amount":Infinity}]}', '{"items":[{"amount":007}]}'],
            *['{"items":["\\ud800"]}', "items=1"],
        ],
    )
    @both
    async def test_what_is_no_batch_is_refused_as_a_whole(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str], body: str
    ) -> None:
        answer = await post(client, path, body)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert answer.json()["issues"][0]["in"] == "body"

    @pytest.mark.parametrize("instant", ["yesterday", "2026-09-11", "1994-01-27", "2024-02-30", "2024-03-01T12:00:00"])
    @both
    async def test_an_instant_that_is_none_is_refused(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str], instant: str
    ) -> None:
        answer = await client.post(path, json={"items": [case], "as_of": instant})
        assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "as_of")

    @pytest.mark.parametrize(
        "bad",
        [
            b"\xff",
            b'"x',
            b"[" * 100_000,
            b"[" * 5000 + b"]" * 5000,
            b'{"amount":' + b"[" * 100_000,
            b'{"items":' * 50_000,
        ],
        ids=["no text", "no end", "open lists", "lists in lists", "a list as amount", "batches in batches"],
    )
    @both
    async def test_nothing_that_is_sent_is_our_own_error(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str], bad: bytes
    ) -> None:
        answer = await post(client, path, b'{"items":[' + bad + b"]}")
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:problem-type:belgif:badRequest"

    @pytest.mark.parametrize(
        "bad",
        [
            b'{"amount":"\xff","from":"2010-06","to":"2019-08"}',
            b'{"amount":1,"from":"\xff","to":"2019-08"}',
            b"[" * 300 + b"]" * 300,
            b'{"amount":1,"from":"2010-06","to":"2019-08","base_year":' + b"9" * 5000 + b"}",
            b'{"amount":1,"from":"2010-06","to":"2019-08","base_year":2013.0}',
            b'{"amount":1,"from":"2010-06","to":"2019-08","base_year":"2013"}',
            b'{"amount":1,"from":"2010-06","to":"2019-08","index":"Health"}',
            b'{"amount":1,"from":"2010-06","to":"2019-08","note":"x"}',
            b'{"amount":1,"from":"2010-06"}',
            b'{"amount":1,"from":201006,"to":"2019-08"}',
        ],
    )
    async def test_a_case_that_cannot_be_read_is_a_problem_of_its_own(
        self, client: httpx2.AsyncClient, bad: bytes
    ) -> None:
        answer = await post(client, INDEXATIONS, b'{"items":[' + bad + b"," + json.dumps(CASE).encode() + b"]}")
        first, second = answer.json()["items"]
        assert kind(first) == "belgif:badRequest"
        assert "result" in second

    @pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/problem+json", None])
    @both
    async def test_another_media_type_is_refused(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str], media_type: str | None
    ) -> None:
        headers = {} if media_type is None else {"Content-Type": media_type}
        answer = await client.post(path, content=b'{"items":[]}', headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:belgif:unsupportedMediaType")

    async def test_a_charset_beside_the_media_type_is_no_matter(self, client: httpx2.AsyncClient) -> None:
        headers = {"Content-Type": "application/JSON; charset=utf-8"}
        answer = await client.post(INDEXATIONS, content=b'{"items":[]}', headers=headers)
        assert answer.status_code == 200

    @both
    async def test_a_mebibyte_is_taken_and_not_one_byte_more(
        self, client: httpx2.AsyncClient, path: str, case: dict[str, str]
    ) -> None:
        body = b'{"items":[]}'.ljust(MIB)
        assert (await post(client, path, body)).status_code == 200
        answer = await post(client, path, body + b" ")
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:belgif:payloadTooLarge")
        assert answer.headers["cache-control"] == "no-store"

    @both
    async def test_a_query_is_refused(self, client: httpx2.AsyncClient, path: str, case: dict[str, str]) -> None:
        answer = await client.post(f"{path}?as_of=2024-03-01", json={"items": [case]})
        assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "as_of")
