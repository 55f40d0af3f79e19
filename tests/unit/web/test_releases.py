"""`/v1/releases`: what was loaded, when each was in service, and what differs between two."""

from datetime import datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import LOADED, Operator, make_app, make_client
from tests.worlds.examples import slow
from tests.worlds.risk_tables import put_into_service

from adapters.memory import InMemoryZipcodeRepository
from domain.risk.releases import Release
from domain.risk.tables import RiskFactor, RiskTable

PATH = "/v1/releases"
SPRING = ((1000, 1009, "C"), (9000, 9099, "B"), (9170, 9240, "A"))
AUTUMN = ((1000, 1009, "C"), (9000, 9049, "B"), (9170, 9240, "B"), (9300, 9300, "A"))


def written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


@pytest.fixture
async def operator() -> Operator:
    return Operator()


async def get(operator: Operator, path: str = PATH, **headers: str) -> httpx2.Response:
    async with make_client(operator.app) as client:
        return await client.get(path, headers=headers)


async def both(operator: Operator) -> tuple[Release, Release]:
    """Spring, and ten days later autumn in its place."""
    spring = await operator.activates(*SPRING, label="spring.csv")
    operator.waits(days=10)
    return spring, await operator.activates(*AUTUMN, label="autumn.csv")


class TestList:
    async def test_they_come_newest_first_with_what_became_of_each(self, operator: Operator) -> None:
        spring, autumn = await both(operator)
        staged = await operator.loads((1000, 1000, "A"), label="next.csv")
        body = (await get(operator)).json()
        assert [(item["id"], item["status"]) for item in body["items"]] == [
            (staged.id, "staged"),
            (autumn.id, "active"),
            (spring.id, "retired"),
        ]
        assert (body["total"], body["page"], body["page_size"], "next" in body) == (3, 1, 100, False)

    async def test_a_release_says_what_is_in_it_and_when_it_was_in_service(self, operator: Operator) -> None:
        spring, _ = await both(operator)
        operator.waits(days=1)
        activated, retired = [e.at for e in (await operator.releases.history()).activations]
        item = (await get(operator)).json()["items"][1]
        assert item == {
            "id": spring.id,
            "label": "spring.csv",
            "created_at": written(LOADED),
            "source_sha256": "ab" * 32,
            "table_sha256": spring.table_sha256,
            "counts": {"A": 71, "B": 100, "C": 10},
            "ranges": 3,
            "status": "retired",
            "activated_at": written(activated),
            "retired_at": written(retired),
        }
        assert item == (await get(operator, f"{PATH}/{spring.id}")).json()

    async def test_who_did_it_stays_off_the_network(self, operator: Operator) -> None:
        spring, autumn = await both(operator)
        await operator.rolls_back()
        for path in (PATH, f"{PATH}/{spring.id}", f"{PATH}/{autumn.id}/diff", "/v1/zipcodes/9099", "/health"):
            answer = await get(operator, path)
            assert "example.org" not in answer.text + str(answer.headers)

    async def test_following_next_gives_each_once(self, operator: Operator) -> None:
        made = [(await operator.loads((1000, 1000 + number, "A"))).id for number in range(7)]
        path: str | None = f"{PATH}?page_size=3"
        seen = []
        while path is not None:
            body = (await get(operator, path)).json()
            assert len(body["items"]) <= 3
            seen += [item["id"] for item in body["items"]]
            path = body.get("next")
        assert seen == made[::-1]

    @pytest.mark.parametrize(
        "query", ["page=0", "page=x", "page_size=0", "page_size=1001", "page_size=", "status=active"]
    )
    async def test_a_page_that_cannot_be_is_bad_input(self, operator: Operator, query: str) -> None:
        answer = await get(operator, f"{PATH}?{query}")
        assert answer.status_code == 400
        assert answer.json()["issues"][0]["name"] == query.split("=", maxsplit=1)[0]

    async def test_before_anything_is_loaded_the_list_is_empty(self, operator: Operator) -> None:
        answer = await get(operator)
        assert (answer.status_code, answer.json()["items"], answer.json()["total"]) == (200, [], 0)

    async def test_its_tag_changes_with_every_event(self, operator: Operator) -> None:
        async def tag() -> str:
            answer = await get(operator)
            found: str = answer.headers["etag"]
            assert (await get(operator, **{"If-None-Match": found})).status_code == 304
            return found

        tags = [await tag()]
        staged = await operator.loads(*SPRING)
        tags.append(await tag())
        await operator.releases.activate(staged.id, "tester")
        tags.append(await tag())
        await operator.activates(*AUTUMN)
        tags.append(await tag())
        await operator.rolls_back()
        tags.append(await tag())
        assert len(set(tags)) == 5
        assert await tag() == tags[-1]


class TestOne:
    @pytest.mark.parametrize("release", ["0009-00000000", "99", "x" * 300, "' OR '1'='1", "%00"])
    @pytest.mark.parametrize("what", ["", "/diff"])
    async def test_an_id_that_no_release_has_names_nothing(self, operator: Operator, release: str, what: str) -> None:
        await operator.activates(*SPRING)
        answer = await get(operator, f"{PATH}/{release}{what}")
        body = answer.json()
        assert (answer.status_code, body["type"]) == (404, "urn:problem-type:belgif:resourceNotFound")
        assert body["detail"].startswith("There is no release '")
        assert len(answer.content) < 500

    async def test_its_tag_changes_when_it_comes_into_service_and_leaves_it(self, operator: Operator) -> None:
        release = await operator.loads(*SPRING)
        path, tags = f"{PATH}/{release.id}", []
        for step in (
            operator.activates(*SPRING),
            operator.loads((1000, 1000, "A")),
            operator.activates(*AUTUMN),
            operator.rolls_back(),
        ):
            tags.append((await get(operator, path)).headers["etag"])
            operator.waits(seconds=1)
            await step
        answer = await get(operator, path)
        tags.append(answer.headers["etag"])
        assert tags[1] == tags[2]  # another one was loaded: nothing to do with it
        assert len(set(tags)) == 4
        assert answer.headers["x-release"] == release.id
        assert answer.json()["status"] == "active"
        assert "retired_at" not in answer.json()


class TestDiff:
    async def test_it_leads_from_the_one_against_to_the_one_in_the_path(self, operator: Operator) -> None:
        spring, autumn = await both(operator)
        answer = await get(operator, f"{PATH}/{autumn.id}/diff?against={spring.id}")
        assert answer.headers["x-release"] == autumn.id
        assert answer.text.startswith(f'{{"release":"{autumn.id}","against":"{spring.id}","added":1,')
        assert '"share":67.03,' in answer.text  # 122 of 182
        assert answer.json() == {
            "release": autumn.id,
            "against": spring.id,
            "added": 1,
            "removed": 50,
            "changed": 71,
            "share": 67.03,
            "by_factor": {
                "A": {"before": 71, "after": 1, "gained": 1, "lost": 71},
                "B": {"before": 100, "after": 121, "gained": 71, "lost": 50},
                "C": {"before": 10, "after": 10, "gained": 0, "lost": 0},
            },
            "items": [
                {"first": 9050, "last": 9099, "before": "B", "after": None, "zipcodes": 50},
                {"first": 9170, "last": 9240, "before": "A", "after": "B", "zipcodes": 71},
                {"first": 9300, "last": 9300, "before": None, "after": "A", "zipcodes": 1},
            ],
            "total": 3,
        }

    async def test_the_other_way_round_it_is_the_reverse(self, operator: Operator) -> None:
        spring, autumn = await both(operator)
        there = (await get(operator, f"{PATH}/{autumn.id}/diff?against={spring.id}")).json()
        back = (await get(operator, f"{PATH}/{spring.id}/diff?against={autumn.id}")).json()
        assert (there["added"], there["removed"], there["share"]) == (back["removed"], back["added"], back["share"])
        assert [{**item, "before": item["after"], "after": item["before"]} for item in there["items"]] == back["items"]

    async def test_it_is_against_the_active_one_unless_another_is_named(self, operator: Operator) -> None:
        spring, autumn = await both(operator)
        staged = await operator.loads((9000, 9000, "B"))
        for active in (autumn, spring):
            answer = await get(operator, f"{PATH}/{staged.id}/diff")
            named = await get(operator, f"{PATH}/{staged.id}/diff?against={active.id}")
            assert answer.json() == named.json()
            assert answer.json()["against"] == active.id
            assert "max-age=60" in answer.headers["cache-control"].split(", ")
            assert {"max-age=86400", "immutable"} <= set(named.headers["cache-control"].split(", "))
            assert answer.headers["etag"] == named.headers["etag"]
            if active is autumn:
                await operator.rolls_back()

    async def test_against_the_active_one_its_tag_follows_what_is_active(self, operator: Operator) -> None:
        spring, _ = await both(operator)
        path = f"{PATH}/{spring.id}/diff"
        tag = (await get(operator, path)).headers["etag"]
        assert (await get(operator, path, **{"If-None-Match": tag})).status_code == 304
        await operator.rolls_back()
        after = await get(operator, path, **{"If-None-Match": tag})
        assert (after.status_code, after.json()["total"]) == (200, 0)

    async def test_a_release_does_not_differ_from_itself(self, operator: Operator) -> None:
        release = await operator.activates(*SPRING)
        answer = await get(operator, f"{PATH}/{release.id}/diff")
        body = answer.json()
        assert (body["items"], body["added"], body["removed"], body["changed"]) == ([], 0, 0, 0)
        assert '"share":0.00,' in answer.text

    async def test_an_unknown_one_to_compare_with_is_bad_input(self, operator: Operator) -> None:
        release = await operator.activates(*SPRING)
        answer = await get(operator, f"{PATH}/{release.id}/diff?against=0009-00000000")
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:belref:unknownRelease")
        assert [(issue["in"], issue["name"]) for issue in answer.json()["issues"]] == [("query", "against")]

    async def test_as_long_as_none_is_active_there_is_none_to_compare_with(self, operator: Operator) -> None:
        release = await operator.loads(*SPRING)
        assert (await get(operator, f"{PATH}/{release.id}/diff")).status_code == 503
        assert (await get(operator, f"{PATH}/{release.id}/diff?against={release.id}")).status_code == 200


@pytest.mark.parametrize("path", [PATH, f"{PATH}/{{}}", f"{PATH}/{{}}/diff"])
async def test_a_head_has_the_headers_of_the_answer(operator: Operator, path: str) -> None:
    release = await operator.activates(*SPRING)
    async with make_client(operator.app) as client:
        answer, head = [await client.request(method, path.format(release.id)) for method in ("GET", "HEAD")]
    assert (answer.status_code, head.status_code, head.content) == (200, 200, b"")
    for name in ("etag", "cache-control", "content-length"):
        assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}/0001-168866b8", f"{PATH}/0001-168866b8/diff", "/v1/risk-ranges"])
async def test_nothing_is_written_over_http(client: httpx2.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, path)).status_code == 405


_repository = InMemoryZipcodeRepository()
_app = make_app(_repository)
_factors = st.dictionaries(st.integers(1000, 1030), st.sampled_from(RiskFactor), min_size=1)


async def _factors_of(client: httpx2.AsyncClient, release: Release) -> dict[int, Any]:
    items = (await client.get(f"/v1/zipcodes?release={release.id}")).json()["items"]
    return {item["zipcode"]: item["risk_factor"] for item in items}


@slow(120)
@given(_factors, _factors)
async def test_the_changes_made_to_the_one_give_the_other(
    one: dict[int, RiskFactor], other: dict[int, RiskFactor]
) -> None:
    before, after = [await put_into_service(_repository, RiskTable.from_factors(each)) for each in (one, other)]
    async with make_client(_app) as client:
        diff = (await client.get(f"{PATH}/{after.id}/diff?against={before.id}")).json()
        factors, wanted = await _factors_of(client, before), await _factors_of(client, after)
    touched = 0
    for item in diff["items"]:
        for zipcode in range(item["first"], item["last"] + 1):
            assert factors.pop(zipcode, None) == item["before"]
            if item["after"] is not None:
                factors[zipcode] = item["after"]
            touched += 1
    assert factors == wanted
    assert touched == diff["added"] + diff["removed"] + diff["changed"] == sum(i["zipcodes"] for i in diff["items"])
