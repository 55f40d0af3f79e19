from collections import Counter
from urllib.parse import urlsplit

from benchmarks.scenarios import BARE, DAY, OF_SERVICE, TITLES, day, distinct, scenarios

EVERY = scenarios(etag='W/"of-the-table"')


class TestScenarios:
    def test_each_has_a_name_of_its_own_and_a_title(self) -> None:
        assert len({each.name for each in EVERY}) == len(EVERY)
        assert len({each.title for each in EVERY}) == len(EVERY)

    def test_whoever_is_measured_has_a_title(self) -> None:
        assert {subject for each in EVERY for subject in each.subjects} <= TITLES.keys()

    def test_a_floor_is_one_of_the_service_beside_a_baseline(self) -> None:
        for each in EVERY:
            if any(each.beside.values()):
                assert each.service in OF_SERVICE
                assert not each.beside.keys() & set(OF_SERVICE)

    def test_all_zipcodes_are_asked_once_in_a_turn(self) -> None:
        (every,) = (each for each in EVERY if each.name == "every")
        assert Counter(request.path for request in every.requests(0)) == Counter(
            f"/zipcodes/{zipcode}" for zipcode in range(1000, 10000)
        )

    def test_the_ordinary_rounds_ask_no_indexation_twice(self) -> None:
        (indexation,) = (each for each in EVERY if each.name == "indexation")
        paths = [request.path for turn in range(3) for request in indexation.requests(turn)]
        assert len(set(paths)) == len(paths) == 45_000


class TestMixedDay:
    def test_path_and_query_name_an_answer(self) -> None:
        asked = {(request.path, request.status, tuple(request.headers.items())) for request in day("tag")}
        assert len({path for path, _, _ in asked}) == len(asked)

    def test_it_is_the_same_every_time(self) -> None:
        assert day("tag") == day("tag")

    def test_it_has_the_weights_that_are_named(self) -> None:
        requests = day("tag", size=20_000)
        shares = Counter(
            "304" if request.status == 304 else urlsplit(request.path).path.rpartition("/")[0] for request in requests
        )
        assert sum(DAY.values()) == 100
        assert abs(shares["/zipcodes"] / 200 - DAY["a zipcode, four in five of them among a fifth of the zipcodes"]) < 2
        assert abs(shares["304"] / 200 - DAY["a zipcode, with the ETag of before (304)"]) < 2
        few = Counter(request.path for request in requests if request.path.startswith("/zipcodes/"))
        most = sum(count for _, count in few.most_common(200))
        assert abs(most / few.total() - 0.8) < 0.03

    def test_bare_asgi_answers_each_request_of_it_with_its_own_recording(self) -> None:
        (mixed,) = (each for each in EVERY if each.name == "day")
        assert not mixed.one_for_all
        assert BARE in mixed.subjects


class TestDistinctUrls:
    def test_no_two_are_equal(self) -> None:
        paths = [request.path for request in distinct(150_000)]
        assert len(set(paths)) == len(paths) == 150_000

    def test_there_are_as_many_good_ones_as_bad_ones(self) -> None:
        assert Counter(request.status for request in distinct(1000)) == {200: 500, 400: 250, 404: 250}
