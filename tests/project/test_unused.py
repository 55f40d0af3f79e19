"""The check that finds code which nobody uses."""

from pathlib import Path

from scripts.unused import unused_code

CODE = """
def _never_called():
    return 1


def called():
    return 2


class Widget:
    def shown(self):
        return called()

    def forgotten(self):
        return 3


Widget().shown()
"""


def test_a_function_and_a_method_that_nobody_calls_are_found(tmp_path: Path) -> None:
    (tmp_path / "widgets.py").write_text(CODE)
    found = unused_code([tmp_path])
    assert len(found) == 2
    assert "'_never_called'" in found[0]
    assert "'forgotten'" in found[1]
