"""The measurements run, and what they measure grows by no more than a key a row."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.sheets import MATRIX, ROWS, checked, main, matrix_sheet, pictured_sheet, rows_sheet

pytestmark = pytest.mark.process

_A_KEY = 200
"""Bytes: the key, its line, and their place in a dictionary. 250 MB and a million jobs leave no more."""
_NOISE = 12_000_000


@pytest.mark.parametrize("sheet", [rows_sheet, pictured_sheet, matrix_sheet])
def test_memory_grows_by_a_key_a_row(tmp_path: Path, sheet: Callable[[Path, int], Path]) -> None:
    """What holds a prompt too many, or a list of rows, is seen here long before a night of a million."""
    few, many = (checked(sheet(tmp_path, size)) for size in (1000, 40_000))
    assert many.jobs - few.jobs > 38_000
    assert many.peak_bytes - few.peak_bytes < _NOISE + _A_KEY * (many.jobs - few.jobs)
    assert many.peak_bytes < min(ROWS.peak_bytes, MATRIX.peak_bytes)
    assert many.seconds < (ROWS.seconds or 0)  # a fifth of the rows, with room for a machine that is busy


def test_the_command_measures_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says what was promised."""
    monkeypatch.setattr(sys, "argv", ["sheets", "--rows", "10", "--jobs", "27"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    rows, pictured, jobs = capsys.readouterr().out.splitlines()
    assert pictured.split()[:4] == ["10", "rows", "with", "pictures"]
    assert rows.split()[:2] == ["10", "rows"]
    assert jobs.split()[:2] == ["27", "jobs"]
    assert "at most 250 MB" in jobs
