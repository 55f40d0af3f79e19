"""What a client takes, held against the reading of another library, and against what old clients really send."""

from collections.abc import Sequence

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header, parse_etags

from entrypoints.http.negotiation import matches, preferred_coding, preferred_type

JSON, CSV = "application/json", "text/csv"
OFFERED = (JSON, CSV)
CODINGS = ("br", "gzip")
SERIES = "/v1/health-index?base_year=2013&from=2020-01&to=2020-02"
OLD_JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"

qualities = st.sampled_from(["", ";q=0", ";q=0.001", "; q=0.2", ";q=0.5", " ; Q=0.75", ";q=1", ";q=1.000"])
ranges = st.sampled_from([JSON, CSV, "text/*", "application/*", "*/*", "text/html", "TEXT/CSV", "image/*"])
codings = st.sampled_from(["br", "gzip", "deflate", "identity", "*", "GZIP"])
malformed = st.sampled_from(["", " ", "text/csv;q=x", "application/json;q=2", "a b/c;q=1", "gzip;q=-1", "br;q=1e9"])
tags = st.from_regex(r'(W/)?"[a-z0-9,.-]{1,6}"', fullmatch=True)


def _lists(names: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Elements of a list, each name once: what a name that is repeated with two qualities means, no RFC says."""
    pairs = st.lists(st.tuples(names, qualities), max_size=5, unique_by=lambda pair: pair[0].lower())
    return pairs.map(lambda found: [name + quality for name, quality in found])


@given(elements=_lists(ranges))
def test_media_types_are_chosen_by_the_qualities_that_another_library_reads(elements: Sequence[str]) -> None:
    header = ", ".join(elements)
    read = parse_accept_header(header, MIMEAccept)
    quality = {media_type: read.quality(media_type) if elements else 1 for media_type in OFFERED}
    chosen = preferred_type(header, OFFERED)
    if chosen is None:
        assert set(quality.values()) == {0}
    else:
        assert quality[chosen] == max(quality.values()) > 0
        assert chosen == JSON or quality[CSV] > quality[JSON]


@given(elements=_lists(codings))
def test_codings_are_chosen_by_the_qualities_that_another_library_reads(elements: Sequence[str]) -> None:
    header = ", ".join(elements)
    read = parse_accept_header(header, Accept)
    quality = {coding: read.quality(coding) for coding in CODINGS}
    named = {name.lower() for name, _ in read}
    identity = read.quality("identity") if "identity" in named else 0
    chosen = preferred_coding(header.encode(), CODINGS)
    if chosen is None:
        assert max(quality.values()) == 0 or identity > max(quality.values())
    else:
        assert quality[chosen] == max(quality.values()) > 0
        assert quality[chosen] >= identity


@given(given_tags=st.lists(tags, max_size=5), etag=tags)
def test_tags_match_as_another_library_says(given_tags: Sequence[str], etag: str) -> None:
    header = ", ".join(given_tags)
    assert matches(header, etag) == parse_etags(header).contains_weak(etag.removeprefix("W/").strip('"'))


def test_a_star_matches_every_tag() -> None:
    assert matches(" * ", '"a"')
    assert not matches('"*"', '"a"')


@given(elements=_lists(ranges), noise=st.lists(malformed, max_size=3), at=st.integers(0, 5))
def test_what_is_malformed_says_nothing(elements: Sequence[str], noise: Sequence[str], at: int) -> None:
    mixed = [*elements[:at], *noise, *elements[at:]]
    assert preferred_type(",".join(mixed), OFFERED) == preferred_type(",".join(elements), OFFERED)
    assert preferred_coding(",".join(mixed).encode(), CODINGS) == preferred_coding(",".join(elements).encode(), CODINGS)


@given(header=st.text(st.characters(max_codepoint=255), max_size=60))
@example(header=";")
def test_no_header_whatever_is_too_much(header: str) -> None:
    assert preferred_type(header, OFFERED) in {None, *OFFERED}
    assert preferred_coding(header.encode("latin-1"), CODINGS) in {None, *CODINGS}
    matches(header, '"a"')


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (OLD_JAVA, JSON),
        ("*", JSON),
        ("*;q=.2", JSON),
        ("text/csv;q=.5, application/json;q=.4", CSV),
        ("text/csv;header=present;q=0, text/csv", CSV),
        ("text/csv;header=present;q=0, */*;q=0.1, application/json;q=0", CSV),
        ("text/csv;header=present", CSV),
        ("application/json;charset=utf-8", JSON),
        ('text/html;title="a, text/csv", application/json', JSON),
        ("nonsense", JSON),
        ("nonsense, text/csv", CSV),
        ("text/html", None),
        ("text/html, nonsense", None),
        ("*;q=0", None),
    ],
)
async def test_what_clients_really_send_is_answered(
    client: httpx2.AsyncClient, accept: str, media_type: str | None
) -> None:
    for path in (SERIES, "/v1/risk-ranges"):
        answer = await client.get(path, headers={"Accept": accept})
        assert answer.status_code == (406 if media_type is None else 200)
        if media_type is not None:
            assert answer.headers["content-type"].split(";")[0] == media_type
