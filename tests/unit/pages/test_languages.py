import pytest

from entrypoints.http.negotiation import LANGUAGES, preferred_language


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("nl-BE,nl;q=0.9,en-US;q=0.8,en;q=0.7", "nl"),
        ("fr-BE", "fr"),
        ("en;q=0.5, de;q=0.7", "de"),
        ("es, pt;q=0.9", None),
        ("es, *;q=0.1", "nl"),
        ("nl;q=0, *", "fr"),
        ("DE-be", "de"),
        ("", None),
        ("fr;q=high, en;q=0.1", "en"),
    ],
)
def test_the_language_wanted_most_of_those_that_there_are(accept_language: str, language: str | None) -> None:
    assert preferred_language(accept_language, LANGUAGES) == language
