"""The attacks that are measured, without a service."""

from pathlib import Path

from benchmarks import report
from benchmarks.attacks import ATTACKS, fill
from benchmarks.processes import ROOT

from adapters.folder.repository import FileZipcodeRepository

PAGE = ROOT / "docs" / "profile.md"


def test_the_page_has_a_place_for_their_table(tmp_path: Path) -> None:
    report.write({"attacks": "| a table |"}, page=PAGE, output=tmp_path / "profile.md")
    text = (tmp_path / "profile.md").read_text("utf-8")
    assert "<!-- attacks: begin -->\n\n| a table |\n\n<!-- attacks: end -->" in text
    assert [each.name for each in tmp_path.iterdir()] == ["profile.md"]


def test_the_crowds_are_as_large_as_promised() -> None:
    assert {count for name, (_, count) in ATTACKS.items() if "two hundred" in name} == {200}


async def test_each_release_is_another_one_and_has_a_range_for_each_zipcode(tmp_path: Path) -> None:
    await fill(tmp_path, releases=2)
    repository = FileZipcodeRepository(tmp_path)
    history = await repository.history()
    assert len({release.id for release in history.releases}) == 2
    for release in history.releases:
        assert len((await repository.table(release.id)).ranges) == 9000
