"""Trouble of the machine is told in words that name it; all else is somebody's defect."""

import errno
from pathlib import Path

import pytest

from runner.cli.console.machine import of_this_machine


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (RuntimeError("Symlink loop from '/a/loop'"), "/a/loop is a link that leads to itself."),
        (OSError(errno.ELOOP, "Too many levels", "/a/loop"), "/a/loop is a link that leads to itself."),
        (OSError(errno.ELOOP, "Too many levels"), "A name is a link that leads to itself."),
        (OSError(errno.EMFILE, "Too many open files"), "Too many files are open at once."),
        (OSError(errno.ENFILE, "Too many open files in system"), "Too many files are open at once."),
    ],
)
def test_it_is_named(error: Exception, begins: str) -> None:
    """With what to do."""
    found = of_this_machine(error)
    assert found is not None
    assert (found.message, bool(found.hint), found.exit_code) == (begins, True, 73)


@pytest.mark.parametrize(
    "error", [RuntimeError("else"), ValueError("x"), OSError(errno.EIO, "x"), FileNotFoundError(2, "x")]
)
def test_all_else_is_not(error: Exception) -> None:
    """Nor is a file that is missing while the current folder is there."""
    assert of_this_machine(error) is None


def test_a_current_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks for it says only that something is missing."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    found = of_this_machine(FileNotFoundError(2, "No such file or directory"))
    assert found is not None
    assert found.message == "The current folder is gone: it was deleted, or moved away."
