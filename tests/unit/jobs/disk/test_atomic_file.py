"""A file that takes its place whole: of what, and of what not."""

import errno
import os
from pathlib import Path

import pytest

from jobs.disk.atomic_file import replacement
from jobs.errors import CannotWrite

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")


def write(path: Path, text: str = "new") -> None:
    with replacement(path) as part:
        part.write_text(text)


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path, linked: bool) -> None:
    """As root, /dev/null and /dev/stdout, which is a link, became files."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "link" if linked else pipe
    if linked:
        path.symlink_to(pipe)
    with pytest.raises(CannotWrite, match=r"is a device or a pipe.*Nothing was written") as told:
        write(path)
    assert told.value.hint == "Name a file with --output."
    assert pipe.is_fifo()
    assert path.is_symlink() is linked
    assert {found.name for found in tmp_path.iterdir()} == {"pipe", path.name}


def test_a_folder_is_told(tmp_path: Path) -> None:
    """Before anything is written beside it."""
    with pytest.raises(CannotWrite, match="is a folder, not a file"):
        write(tmp_path)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file behind it is replaced, in its own folder."""
    (tmp_path / "far").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to("far/real.csv")
    for text in ("new", "newer"):
        write(link, text)
        assert link.is_symlink()
        assert (tmp_path / "far" / "real.csv").read_text() == text
    assert [found.name for found in (tmp_path / "far").iterdir()] == ["real.csv"]


def test_a_link_that_leads_to_itself_is_told(tmp_path: Path) -> None:
    """In words."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(CannotWrite, match="leads to itself"):
        write(loop)


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """And nothing half-written."""
    path = tmp_path / "copy.csv"
    path.write_text("old")

    def break_off() -> None:
        with replacement(path) as part:
            part.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CannotWrite, match="cannot be written: No space left on device") as told:
        break_off()
    assert "Nothing is lost" in told.value.hint
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("copy.csv", "old")]
