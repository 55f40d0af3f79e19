"""A release may be named by its number over HTTP, as on the command line; the answer names its id."""

from tests.worlds import Operator, make_client


async def test_a_number_and_an_id_are_answered_alike() -> None:
    operator = Operator()
    first = await operator.activates((1000, 1999, "A"))
    second = await operator.activates((1000, 1999, "B"))
    async with make_client(operator.app) as client:
        for url, number, identity in (
            ("/v1/zipcodes/1000?release={}", "1", first.id),
            ("/v1/zipcodes?release={}&page_size=1", "1", first.id),
            ("/v1/risk-ranges?release={}", "2", second.id),
            ("/v1/releases/{}", "0002", second.id),
            ("/v1/releases/{}/diff", "1", first.id),
        ):
            by_number, by_id = await client.get(url.format(number)), await client.get(url.format(identity))
            assert (by_number.status_code, by_number.json()) == (200, by_id.json())
            assert by_number.headers["X-Release"] == identity
        answer = await client.get("/v1/releases/2/diff?against=1")
        assert (answer.json()["release"], answer.json()["against"]) == (second.id, first.id)
        answer = await client.post("/v1/zipcodes/lookup?release=1", json={"zipcodes": [1000]})
        assert answer.json()["release"] == first.id


async def test_what_a_number_names_is_not_kept_for_good() -> None:
    operator = Operator()
    release = await operator.activates((1000, 1999, "A"))
    async with make_client(operator.app) as client:
        by_id = await client.get(f"/v1/zipcodes/1000?release={release.id}")
        by_number = await client.get("/v1/zipcodes/1000?release=1")
    assert "immutable" in by_id.headers["Cache-Control"]
    assert "immutable" not in by_number.headers["Cache-Control"]


async def test_a_number_that_no_release_has_is_refused() -> None:
    operator = Operator()
    await operator.activates((1000, 1999, "A"))
    async with make_client(operator.app) as client:
        answer = await client.get("/v1/zipcodes/1000?release=2")
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:belref:unknownRelease")
        assert (await client.get("/v1/releases/2")).status_code == 404
