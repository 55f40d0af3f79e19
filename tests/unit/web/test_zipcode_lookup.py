"""Many zipcodes at once: each a result or a problem, in the order and number in which they were asked."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import LOADED, Operator, make_client
from tests.worlds.examples import slow

PATH = "/v1/zipcodes/lookup"
INVALID = "urn:problem-type:belref:invalidZipcode"
NO_FACTOR = "urn:problem-type:belref:noRiskFactor"
SPRING = ((1000, 1999, "C"), (9000, 9099, "B"))
AUTUMN = ((1000, 1999, "A"), (9000, 9050, "B"))


@pytest.fixture
async def operator() -> Operator:
    """Autumn is in service, and 9051 to 9099 had a factor in spring."""
    operator = Operator()
    await operator.activates(*SPRING)
    operator.waits(days=10)
    await operator.activates(*AUTUMN)
    operator.waits(days=10)
    return operator


async def post(operator: Operator, body: bytes | str, query: str = "", kind: str = "application/json") -> Any:
    async with make_client(operator.app) as client:
        return await client.post(f"{PATH}{query}", content=body, headers={"Content-Type": kind})


async def looked_up(operator: Operator, *zipcodes: Any, query: str = "") -> list[dict[str, Any]]:
    answer = await post(operator, json.dumps({"zipcodes": zipcodes}), query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["items", "total", "release"]
    assert body["total"] == len(body["items"]) == len(zipcodes)
    assert body["release"] == answer.headers["x-release"]
    items: list[dict[str, Any]] = body["items"]
    assert all(len(item) == 1 for item in items)
    return items


def short(item: dict[str, Any]) -> object:
    return item["result"]["risk_factor"] if "result" in item else item["problem"]["type"]


class TestAnswers:
    async def test_numbers_and_strings_are_alike_and_duplicates_stay(self, operator: Operator) -> None:
        assert await looked_up(operator, 9000, "1000", 9000, "9000") == [
            {"result": {"zipcode": 9000, "risk_factor": "B"}},
            {"result": {"zipcode": 1000, "risk_factor": "A"}},
            {"result": {"zipcode": 9000, "risk_factor": "B"}},
            {"result": {"zipcode": 9000, "risk_factor": "B"}},
        ]

    async def test_each_no_is_of_its_own_type_in_its_place(self, operator: Operator) -> None:
        malformed, lost, never, fine = await looked_up(operator, 999, 9099, 9993, 9000)
        assert [short(malformed), short(lost), short(never), short(fine)] == [INVALID, NO_FACTOR, NO_FACTOR, "B"]
        (issue,) = malformed["problem"]["issues"]
        assert issue == {"in": "body", "name": "zipcodes[0]", "detail": "Zipcode 999 is not valid", "value": "999"}
        assert lost["problem"]["withdrawn"]["risk_factor"] == "B"
        assert "withdrawn" not in never["problem"]

    @pytest.mark.parametrize(
        "item",
        [
            *["null", "true", "false", "{}", "[]", "[9000]", '{"zipcode":9000}', '""', '" 9000"', '"9000 "', '"09000"'],
            *[
                "9000.0",
                "9e3",
                "-9000",
                "999",
                "10000",
                "0",
                "1e400",
                "9" * 400,
                '"999"',
                '"abc"',
                '"9000\\n"',
                '"٩٠٠٠"',
            ],
            *['"\\""', '"9\\"00"', '"\\\\u0039"', '"\\ud83d\\ude00"', '"9000\\u0000"', '"' + "x" * 10_000 + '"'],
            "[" * 200 + "]" * 200,
        ],
        ids=lambda item: item[:20],
    )
    async def test_anything_else_is_a_problem_of_its_own_and_of_nothing_else(
        self, operator: Operator, item: str
    ) -> None:
        answer = await post(operator, f'{{"zipcodes":[9000, {item} ,"9000"]}}')
        assert answer.status_code == 200
        before, wrong, after = answer.json()["items"]
        assert (short(before), short(wrong), short(after)) == ("B", INVALID, "B")
        assert wrong["problem"]["status"] == 400
        assert len(wrong["problem"]["issues"][0]["value"]) <= 100
        assert len(answer.content) < 1000

    async def test_a_string_is_what_it_stands_for_however_it_is_written(self, operator: Operator) -> None:
        answer = await post(operator, r'{"zipcodes":["\u0039000","\u0039\u0030\u0030\u0030"]}')
        assert [short(item) for item in answer.json()["items"]] == ["B", "B"]

    async def test_what_is_no_text_is_a_problem_of_its_own(self, operator: Operator) -> None:
        answer = await post(operator, b'{"zipcodes":["90\xff0","\\u0039\xff",9000]}')
        assert [short(item) for item in answer.json()["items"]] == [INVALID, INVALID, "B"]

    async def test_none_asked_is_none_answered(self, operator: Operator) -> None:
        assert await looked_up(operator) == []

    async def test_a_problem_names_the_request_as_the_log_does(self, operator: Operator) -> None:
        answer = await post(operator, '{"zipcodes":[1]}')
        problem = answer.json()["items"][0]["problem"]
        assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"

    async def test_nobody_keeps_the_answer(self, operator: Operator) -> None:
        answer = await post(operator, '{"zipcodes":[9000]}')
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


class TestWhichTable:
    async def test_one_table_answers_for_all_now_then_or_by_its_id(self, operator: Operator) -> None:
        spring, _ = (await operator.repository.history()).releases
        then = (LOADED + timedelta(days=5)).isoformat().replace("+00:00", "Z")
        for query, factors in (
            ("", ["A", NO_FACTOR]),
            (f"?as_of={then}", ["C", "B"]),
            (f"?release={spring.id}", ["C", "B"]),
        ):
            assert [short(item) for item in await looked_up(operator, 1000, 9099, query=query)] == factors

    @pytest.mark.parametrize(
        ("query", "kind", "name"),
        [
            ("?release=0009-00000000", "belref:unknownRelease", "release"),
            ("?as_of=2030-01-01", "belgif:badRequest", "as_of"),
            ("?as_of=2020-01-01", "belgif:badRequest", "as_of"),
            ("?as_of=x", "belgif:badRequest", "as_of"),
            ("?as_of=2026-09-02&release=0001-00000000", "belgif:badRequest", "release"),
            ("?relase=1", "belgif:badRequest", "relase"),
        ],
    )
    async def test_a_table_that_is_not_there_refuses_the_whole(
        self, operator: Operator, query: str, kind: str, name: str
    ) -> None:
        answer = await post(operator, '{"zipcodes":[9000]}', query)
        assert (answer.status_code, answer.json()["type"]) == (400, f"urn:problem-type:{kind}")
        assert [(issue["in"], issue["name"]) for issue in answer.json()["issues"]] == [("query", name)]

    async def test_without_a_table_it_is_to_be_tried_again(self) -> None:
        assert (await post(Operator(), '{"zipcodes":[9000]}')).status_code == 503


class TestShape:
    async def test_a_thousand_are_taken_and_not_one_more(self, operator: Operator) -> None:
        assert len(await looked_up(operator, *[9000] * 1000)) == 1000
        answer = await post(operator, json.dumps({"zipcodes": [9000] * 1001}))
        assert (answer.status_code, answer.json()["issues"][0]["name"]) == (400, "zipcodes")

    @pytest.mark.parametrize(
        "body",
        [
            *["", "{}", "null", "[]", "[9000]", '{"zipcodes":null}', '{"zipcodes":9000}', '{"zipcodes":[9000}', "9000"],
            *['{"zipcodes":[],"as_of":"2026-09-02"}', '{"items":[9000]}', '{"zipcodes":[NaN]}', '{"zipcodes":[09000]}'],
            *['{"zipcodes":[9000]}{}', '{"zipcodes":["\\ud800"]}', '{"zipcodes":["\\x"]}', "zipcodes=9000"],
            *['{"zipcodes":[' + "[" * 5000 + "]" * 5000 + "]}"],
        ],
        ids=lambda body: body[:24],
    )
    async def test_what_is_no_batch_is_refused_as_a_whole(self, operator: Operator, body: str) -> None:
        answer = await post(operator, body)
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:belgif:badRequest")
        assert answer.json()["issues"][0]["in"] == "body"

    async def test_a_thousand_strings_fit_however_they_are_indented(self, operator: Operator) -> None:
        body = json.dumps({"zipcodes": [str(zipcode) for zipcode in range(1000, 2000)]}, indent=8)
        assert (await post(operator, body)).json()["total"] == 1000

    async def test_64_kib_are_taken_and_not_one_byte_more(self, operator: Operator) -> None:
        body = b'{"zipcodes":[]}'.ljust(64 * 1024)
        assert (await post(operator, body)).status_code == 200
        answer = await post(operator, body + b" ")
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:belgif:payloadTooLarge")

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/problem+json"])
    async def test_another_media_type_is_refused(self, operator: Operator, kind: str) -> None:
        answer = await post(operator, '{"zipcodes":[]}', kind=kind)
        assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:belgif:unsupportedMediaType")

    async def test_it_is_only_posted_to(self, operator: Operator) -> None:
        async with make_client(operator.app) as client:
            answer = await client.get(PATH)
            assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"POST", "OPTIONS"})

    @slow(600)
    @given(st.lists(st.sampled_from([b'"', b"\\", b"u0039", b"ud800", b"9", b"000", b"\xff", b",", b"-", b"e", b"["])))
    async def test_nothing_that_is_sent_is_our_own_error(self, operator: Operator, pieces: list[bytes]) -> None:
        answer = await post(operator, b'{"zipcodes":[' + b"".join(pieces) + b"]}")
        assert answer.status_code in {200, 400}


class TestAgainstSingleLookUps:
    @slow(160)
    @given(
        st.lists(
            st.integers(1990, 2010)
            | st.integers(9040, 9110)
            | st.integers(-20, 20_000)
            | st.from_regex("[0-9a-c]{1,5}", fullmatch=True),
            max_size=12,
        ),
        st.sampled_from(["", "?release=0001-", "?as_of=2026-09-05"]),
    )
    async def test_many_at_once_are_answered_as_one_by_one(
        self, operator: Operator, zipcodes: list[int | str], query: str
    ) -> None:
        if query.endswith("-"):
            query = f"?release={(await operator.repository.history()).releases[0].id}"
        items = await looked_up(operator, *zipcodes, query=query)
        async with make_client(operator.app) as client:
            for zipcode, item in zip(zipcodes, items, strict=True):
                single = await client.get(f"/v1/zipcodes/{zipcode}{query}")
                body = single.json()
                if single.status_code == 200:
                    assert {**item["result"], "release": single.headers["x-release"]} == body
                else:
                    problem = item["problem"]
                    told = ("type", "title", "status", "detail", "release", "withdrawn")
                    assert [problem.get(name) for name in told] == [body.get(name) for name in told]
                    assert [issue["value"] for issue in problem.get("issues", [])] == [
                        issue["value"] for issue in body.get("issues", [])
                    ]
