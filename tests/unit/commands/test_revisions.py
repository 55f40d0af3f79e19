"""`belref index refresh --accept-revision`: an operator says that Statbel has revised its series."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from adapters import bundled
from adapters.memory import InMemoryHealthIndexProvider
from domain.health_index.figures import Publication
from entrypoints import container
from entrypoints.cli.main import main

KNOWN = bundled.load_snapshot()


def _refresh(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(("index", "refresh", *arguments))
    shown = capsys.readouterr()
    return int(stopped.value.code or 0), shown.out, shown.err


@pytest.fixture(autouse=True)
def _revised_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A source whose base 2013 is a cent higher in every month from 2024 on, which is all that is known here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEALTH_INDEX_SOURCE", "snapshot")
    base_2013 = [f for f in KNOWN.figures if f.base_year == 2013 and (2024, 1) <= f.month <= (2025, 12)]
    known = [replace(figure, smoothed=None) for figure in base_2013]
    revised = [replace(figure, value=figure.value + Decimal("0.01")) for figure in known]
    monkeypatch.setattr(container, "load_snapshot", lambda: replace(KNOWN, figures=tuple(known)))
    publication = Publication(tuple(revised), KNOWN.as_of, "statbel")
    monkeypatch.setattr(InMemoryHealthIndexProvider, "publication", _giving(publication))


def _giving(publication: Publication) -> object:
    async def give(*_: object) -> Publication:
        return publication

    return give


def test_without_it_most_of_a_series_is_not_let_go(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _refresh(capsys)
    assert code != 0
    assert "24 of 24 known figures in base 2013 differ" in err


def test_with_it_every_correction_is_taken_over_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _refresh(capsys, "--accept-revision")
    assert code == 0
    assert out.count("in base 2013 from") == 24
