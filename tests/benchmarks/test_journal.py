"""The measurement of a journal runs, and says what it measured."""

import sys

import pytest

from benchmarks.journal import main

pytestmark = pytest.mark.process


def test_the_command_measures_four_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each finds the table and the journal in agreement, or the rows of another database."""
    monkeypatch.setattr(sys, "argv", ["journal", "--rows", "1200"])
    main()
    first, *starts = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["1,200", "submits,"]
    assert [line.split()[1] for line in starts] == ["start", "next", "start", "start"]
