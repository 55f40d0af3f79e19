import tomllib
from importlib.resources import files
from string import Formatter
from typing import Any

import msgspec
import pytest

from entrypoints.http.negotiation import LANGUAGES
from entrypoints.http.pages import catalogue
from entrypoints.http.pages.catalogue import Texts, texts_of

SOURCES = {each: (files(catalogue.__package__) / "texts" / f"{each}.toml").read_text("utf-8") for each in LANGUAGES}
OTHERS = [each for each in LANGUAGES if each != "en"]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def flat(texts: Any, path: str = "") -> dict[str, str]:
    if isinstance(texts, str):
        return {path: texts}
    items = enumerate(texts) if isinstance(texts, list) else texts.items()
    return {name: text for key, value in items for name, text in flat(value, f"{path}.{key}").items()}


def every_text(language: str) -> dict[str, str]:
    return flat(msgspec.to_builtins(texts_of(language)))


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryLanguage:
    def test_has_every_text_and_no_other(self, language: str) -> None:
        assert every_text(language).keys() == every_text("en").keys()

    def test_says_something_in_each(self, language: str) -> None:
        assert [name for name, text in every_text(language).items() if not text] == []

    def test_fills_in_the_same_blanks(self, language: str) -> None:
        english = every_text("en")
        differing = {
            name: placeholders(text) ^ placeholders(english[name])
            for name, text in every_text(language).items()
            if placeholders(text) != placeholders(english[name])
        }
        assert differing == {}

    def test_holds_no_markup(self, language: str) -> None:
        assert [name for name, text in every_text(language).items() if set(text) & set("<>&")] == []

    def test_has_twelve_months(self, language: str) -> None:
        assert len(set(texts_of(language).writing.months)) == 12


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_translated(language: str) -> None:
    english, other = every_text("en"), every_text(language)
    assert [name for name, text in english.items() if len(text) > 25 and text == other[name]] == []


def test_a_catalogue_without_one_of_the_texts_is_refused() -> None:
    given = tomllib.loads(SOURCES["nl"])
    del given["amount"]["submit"]
    with pytest.raises(msgspec.ValidationError, match="submit"):
        msgspec.convert(given, Texts)


def test_a_catalogue_with_a_text_that_nobody_shows_is_refused() -> None:
    given = tomllib.loads(SOURCES["nl"])
    given["amount"]["sumbit"] = "Bedrag indexeren"
    with pytest.raises(msgspec.ValidationError, match="sumbit"):
        msgspec.convert(given, Texts)


@pytest.mark.parametrize(
    ("language", "terms"),
    [
        ("nl", ["ezondheidsindex", "anvangsindexcijfer"]),
        ("fr", ["ndice santé", "ndice de départ"]),
        ("de", ["esundheitsindex", "nfangsindex"]),
        ("en", ["ealth index", "tarting index"]),
    ],
)
def test_the_official_terms_are_used(language: str, terms: list[str]) -> None:
    assert all(term in SOURCES[language] for term in terms)


def test_every_text_is_shown_somewhere() -> None:
    folder = files(catalogue.__package__)
    sources = [*folder.iterdir(), *(folder / "templates").iterdir()]
    code = " ".join(each.read_text("utf-8") for each in sources if each.name.endswith((".py", ".html")))
    code = code.replace((folder / "catalogue.py").read_text("utf-8"), "")
    by_name = {"front": ["fresh", "due", "overdue", "published", "derived", "estimated"], "law": ["index_", "energy_"]}
    regions = ["brussels", "flanders", "wallonia", "german_speaking_community"]
    unshown = []
    for name in every_text("en"):
        _, group, text, *_ = name.split(".")
        looked_up = any(text.startswith(each) for each in [*by_name.get(group, []), *regions])
        if not looked_up and f".{text}" not in code:
            unshown.append(name)
    assert unshown == []
