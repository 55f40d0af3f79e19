"""Risk factors at an instant before, in a release that is named, and of zipcodes that lost theirs."""

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.worlds import Operator, make_client

from domain.risk.releases import Release

SPRING = ((1000, 1999, "C"), (9000, 9099, "B"), (9170, 9240, "A"))
AUTUMN = ((1000, 1999, "C"), (9000, 9050, "B"), (9170, 9240, "B"))
"""9051 to 9099 have no factor any more, 9170 to 9240 have another."""

PATHS = ("/v1/zipcodes/9000", "/v1/zipcodes", "/v1/risk-ranges")


def written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


class Story:
    """Spring is put into service, ten days later autumn, and ten days later somebody asks."""

    def __init__(self, operator: Operator, spring: Release, autumn: Release, changed: datetime) -> None:
        self.operator, self.spring, self.autumn, self.changed = operator, spring, autumn, changed
        self.before, self.after = changed - timedelta(days=5), changed + timedelta(days=5)


@pytest.fixture
async def story() -> Story:
    operator = Operator()
    spring = await operator.activates(*SPRING)
    operator.waits(days=10)
    autumn = await operator.activates(*AUTUMN)
    changed = (await operator.releases.history()).events[-1].at
    operator.waits(days=10)
    return Story(operator, spring, autumn, changed)


async def get(story: Story, path: str, **query: str) -> httpx2.Response:
    async with make_client(story.operator.app) as client:
        return await client.get(path, params=query)


def problem(answer: httpx2.Response, status: int, kind: str) -> Any:
    body = answer.json()
    assert (answer.status_code, body["type"]) == (status, f"urn:problem-type:{kind}")
    assert answer.headers["cache-control"] == "no-store"
    return body


def directives(answer: httpx2.Response) -> set[str]:
    return set(answer.headers["cache-control"].split(", "))


class TestAsOf:
    async def test_the_table_then_in_service_answers(self, story: Story) -> None:
        for as_of, factor, release in (
            (story.before, "A", story.spring),
            (story.changed - timedelta(microseconds=1), "A", story.spring),
            (story.changed, "B", story.autumn),
            (story.after, "B", story.autumn),
            (story.operator.now, "B", story.autumn),
        ):
            answer = await get(story, "/v1/zipcodes/9170", as_of=written(as_of))
            assert answer.json() == {"zipcode": 9170, "risk_factor": factor, "release": release.id}
            assert answer.headers["x-release"] == release.id
            assert answer.headers["etag"] == f'W/"{release.id}"'

    async def test_a_day_stands_for_its_end_in_brussels(self, story: Story) -> None:
        day = story.changed.date()
        for asked, release in ((day - timedelta(days=1), story.spring), (day, story.autumn)):
            assert (await get(story, "/v1/zipcodes/9170", as_of=str(asked))).json()["release"] == release.id

    async def test_a_list_comes_from_the_same_table(self, story: Story) -> None:
        for as_of, total, release in ((story.before, 71, story.spring), (story.after, 0, story.autumn)):
            body = (await get(story, "/v1/zipcodes", risk_factor="A", as_of=written(as_of))).json()
            assert (body["total"], body["release"]) == (total, release.id)

    async def test_a_rollback_is_seen_from_when_it_happened(self, story: Story) -> None:
        await story.operator.rolls_back()
        rolled_back = story.operator.now
        story.operator.waits(days=1)
        for as_of, release in (
            (story.before, story.spring),
            (rolled_back - timedelta(microseconds=1), story.autumn),
            (rolled_back, story.spring),
        ):
            assert (await get(story, "/v1/zipcodes/9000", as_of=written(as_of))).json()["release"] == release.id

    @pytest.mark.parametrize("path", PATHS)
    async def test_what_lies_ahead_or_before_the_first_release_is_refused(self, story: Story, path: str) -> None:
        ahead, early = story.operator.now + timedelta(seconds=1), story.changed - timedelta(days=11)
        for instant, words in ((ahead, "it lies ahead"), (early, "no risk table was in service by then")):
            body = problem(await get(story, path, as_of=written(instant)), 400, "belgif:badRequest")
            (issue,) = body["issues"]
            assert (issue["in"], issue["name"]) == ("query", "as_of")
            assert words in issue["detail"]

    @pytest.mark.parametrize("as_of", ["", "yesterday", "2026-09-02T12:00:00", "2026-02-30", "2026-9-2", "1756800000"])
    @pytest.mark.parametrize("path", PATHS)
    async def test_what_is_no_instant_is_refused(self, story: Story, path: str, as_of: str) -> None:
        body = problem(await get(story, path, as_of=as_of), 400, "belgif:badRequest")
        assert [issue["name"] for issue in body["issues"]] == ["as_of"]


class TestRelease:
    async def test_a_release_answers_whether_or_not_it_is_in_service(self, story: Story) -> None:
        staged = await story.operator.loads((9170, 9170, "C"))
        for release, factor in ((story.spring, "A"), (story.autumn, "B"), (staged, "C")):
            answer = await get(story, "/v1/zipcodes/9170", release=release.id)
            assert answer.json() == {"zipcode": 9170, "risk_factor": factor, "release": release.id}
            listed = (await get(story, "/v1/zipcodes", release=release.id)).json()
            assert (listed["release"], listed["total"]) == (release.id, sum(release.counts.values()))

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("release", ["0009-00000000", "99", "", "x" * 500, "' OR '1'='1", "\x00"])
    async def test_an_id_that_no_release_has_is_refused(self, story: Story, path: str, release: str) -> None:
        answer = await get(story, path, release=release)
        body = problem(answer, 400, "belref:unknownRelease")
        assert [(issue["in"], issue["name"]) for issue in body["issues"]] == [("query", "release")]
        assert len(answer.content) < 800

    @pytest.mark.parametrize("path", PATHS)
    async def test_one_table_is_named_in_one_way(self, story: Story, path: str) -> None:
        answer = await get(story, path, release=story.spring.id, as_of=written(story.before))
        body = problem(answer, 400, "belgif:badRequest")
        assert "give one" in body["issues"][0]["detail"]


class TestWithdrawn:
    async def test_a_zipcode_that_had_a_factor_says_until_when(self, story: Story) -> None:
        for query in ({}, {"as_of": written(story.after)}):
            answer = await get(story, "/v1/zipcodes/9099", **query)
            body = problem(answer, 404, "belref:noRiskFactor")
            assert body["withdrawn"] == {
                "risk_factor": "B",
                "release": story.spring.id,
                "until": written(story.changed),
                "until_release": story.autumn.id,
            }
            assert body["release"] == answer.headers["x-release"] == story.autumn.id
            assert body["detail"].endswith(
                f"it had B in release {story.spring.id}, until {story.autumn.id} took its place"
            )

    async def test_the_instant_that_is_said_is_the_first_without(self, story: Story) -> None:
        until = (await get(story, "/v1/zipcodes/9099")).json()["withdrawn"]["until"]
        assert (await get(story, "/v1/zipcodes/9099", as_of=until)).status_code == 404
        just_before = written(datetime.fromisoformat(until) - timedelta(microseconds=1))
        assert (await get(story, "/v1/zipcodes/9099", as_of=just_before)).json()["risk_factor"] == "B"

    async def test_a_zipcode_that_never_had_one_says_nothing_of_it(self, story: Story) -> None:
        body = problem(await get(story, "/v1/zipcodes/9993"), 404, "belref:noRiskFactor")
        assert "withdrawn" not in body

    async def test_nor_does_a_release_that_is_named_as_what_came_before_it_depends_on_when(self, story: Story) -> None:
        answer = await get(story, "/v1/zipcodes/9099", release=story.autumn.id)
        assert "withdrawn" not in problem(answer, 404, "belref:noRiskFactor")

    async def test_what_comes_later_is_not_known_then(self, story: Story) -> None:
        withdrawn_twice = story.operator
        await withdrawn_twice.activates(*SPRING)
        withdrawn_twice.waits(days=1)
        last = await withdrawn_twice.activates((9000, 9000, "B"))
        now = (await get(story, "/v1/zipcodes/9099")).json()["withdrawn"]
        then = (await get(story, "/v1/zipcodes/9099", as_of=written(story.after))).json()["withdrawn"]
        assert (now["until_release"], then["until_release"]) == (last.id, story.autumn.id)


class TestCaching:
    @pytest.mark.parametrize("path", PATHS)
    async def test_what_a_release_says_never_changes(self, story: Story, path: str) -> None:
        for release in (story.spring, story.autumn):
            answer = await get(story, path, release=release.id)
            assert {"public", "max-age=86400", "immutable"} <= directives(answer)

    @pytest.mark.parametrize("path", PATHS)
    async def test_what_was_true_is_kept_for_a_day_once_something_later_is_known(self, story: Story, path: str) -> None:
        moment = timedelta(microseconds=1)
        for instant, lifetime in ((story.before, 86400), (story.changed, 86400), (story.changed + moment, 60)):
            answer = await get(story, path, as_of=written(instant))
            assert {"public", f"max-age={lifetime}"} <= directives(answer)
            assert "immutable" not in directives(answer)
        assert {"public", "max-age=60"} <= directives(await get(story, path))

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("named", [False, True])
    async def test_the_tag_is_that_of_the_release_and_spares_the_body(
        self, story: Story, path: str, *, named: bool
    ) -> None:
        query = {"release": story.spring.id} if named else {}
        async with make_client(story.operator.app) as client:
            first = await client.get(path, params=query)
            again = await client.get(path, params=query, headers={"If-None-Match": first.headers["etag"]})
            head = await client.head(path, params=query)
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "x-release", "cache-control"):
            assert again.headers[name] == head.headers[name] == first.headers[name]
        assert (head.status_code, head.content) == (200, b"")

    @pytest.mark.parametrize("path", [*PATHS, "/zipcodes/9000", "/databases/zipcodes?risk_factor=B"])
    async def test_the_tag_changes_with_an_activation_and_only_then(self, story: Story, path: str) -> None:
        async with make_client(story.operator.app) as client:
            before = (await client.get(path)).headers["etag"]
            staged = await story.operator.loads((9000, 9000, "C"))
            assert (await client.get(path)).headers["etag"] == before
            await story.operator.releases.activate(staged.id, "tester", force=True)
            after = await client.get(path, headers={"If-None-Match": before})
            assert (after.status_code, after.headers["x-release"]) == (200, staged.id)
            await story.operator.rolls_back()
            assert (await client.get(path, headers={"If-None-Match": before})).status_code == 304
