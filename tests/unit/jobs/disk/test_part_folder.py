"""What a killed export leaves is removed by the next one; what is being written is left alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.disk.own_folder import own_folder
from jobs.disk.part_folder import part_folder, take_place
from tests.unit.jobs.disk.test_own_folder import beside, write

ROOT = Path(__file__).parents[4]
KILLED_WHILE_WRITING = """
with own_folder(target, "test") as part:
    (part / "half").write_text("x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)
"""
KILLED_BETWEEN_RENAMES = """
real = Path.rename
def rename(one, other):
    if one.suffix == ".part":
        os.kill(os.getpid(), signal.SIGKILL)
    return real(one, other)
Path.rename = rename
with own_folder(target, "test") as part:
    (part / "new").write_text("x")
"""


def killed(target: Path, code: str) -> None:
    """A process that writes a folder, and does not get far."""
    head = "import os, signal, sys\nfrom pathlib import Path\nfrom jobs.disk.own_folder import own_folder\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{head}target = Path(sys.argv[1])\n{code}", str(target)],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9


needs_kill = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.mark.process
@needs_kill
@pytest.mark.parametrize("name", ["out", "out[1]*", ".out"])
def test_what_a_killed_one_left_is_removed(tmp_path: Path, name: str) -> None:
    """By the next into the same place, and by no other."""
    target = tmp_path / name
    write(target)
    killed(target, KILLED_WHILE_WRITING)
    assert len(beside(target)) == 2
    write(tmp_path / "other")
    assert len(beside(target)) == 3
    write(target, "again")
    assert (target / "inner" / "a.txt").read_text() == "again"
    assert beside(target) == ["other"]


@pytest.mark.process
@needs_kill
def test_a_folder_that_was_being_replaced_is_put_back(tmp_path: Path) -> None:
    """Also where the next one comes to nothing."""
    target = tmp_path / "out"
    write(target)
    killed(target, KILLED_BETWEEN_RENAMES)
    assert not target.exists()

    def fail() -> None:
        with own_folder(target, "test"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (target / "inner" / "a.txt").read_text() == "one"
    assert beside(target) == []


def test_two_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """The last one is there, whole, and nothing else."""
    target = tmp_path / "out"
    with own_folder(target, "test") as one:
        (one / "of.txt").write_text("one")
        with own_folder(target, "test") as other:
            (other / "of.txt").write_text("other")
        assert (target / "of.txt").read_text() == "other"
        assert (one / "of.txt").read_text() == "one"
    assert (target / "of.txt").read_text() == "one"
    assert beside(target) == []


def test_another_that_took_the_place_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two renames: it stays, and the folder that was put aside does not."""
    target = tmp_path / "out"
    write(target)
    real = Path.rename

    def rename(one: Path, other: Path) -> Path:
        if one.suffix == ".part":
            shutil.copytree(one.with_suffix(".old"), other)
        return real(one, other)

    with part_folder(target) as part:
        (part / "new").write_text("x")
        monkeypatch.setattr(Path, "rename", rename)
        with pytest.raises(OSError, match="not empty"):
            take_place(part, target)
    assert (target / "inner" / "a.txt").read_text() == "one"
    assert beside(target) == []


def test_where_there_are_no_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell who is alive."""

    def none(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock._acquire", none)
    target = tmp_path / "out"
    with own_folder(target, "test") as one:
        (one / "of.txt").write_text("one")
        write(target)
        assert (one / "of.txt").read_text() == "one"
    assert (target / "of.txt").read_text() == "one"
    assert beside(target) == []
