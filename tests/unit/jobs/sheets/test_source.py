"""Where a sheet comes from."""

from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.sheets.source import STANDARD_INPUT, SheetSource


def test_a_file_is_called_by_its_path_and_remembered_by_its_place(tmp_path: Path) -> None:
    """A worksheet that is not the first is a place of its own."""
    path = tmp_path / "x" / ".." / "a.xlsx"
    source = SheetSource(path)
    assert source.name == str(path)
    assert source.place(None) == str(tmp_path.resolve() / "a.xlsx")
    assert source.place("Monday") == f"{tmp_path.resolve() / 'a.xlsx'}#Monday"


def test_a_path_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """No table could remember it."""
    with pytest.raises(UsageProblem) as refused:
        SheetSource(tmp_path / "night\udcff" / "sheet.csv").place(None)
    assert refused.value.message.endswith(r"/night\xff/sheet.csv")


def test_standard_input_is_one_place(tmp_path: Path) -> None:
    """Wherever its copy lies this time."""
    source = SheetSource(tmp_path / "copy", spooled=True)
    assert (source.name, source.place(None), source.place("Monday")) == (STANDARD_INPUT,) * 3
