"""Opening what a sheet names: regular files, and nothing else."""

import errno
import os
from pathlib import Path

import pytest

from jobs.disk.named_file import open_regular


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    """Its bytes as they are."""
    path = tmp_path / "a.png"
    path.write_bytes(b"a\r\nb\x1a")
    with open_regular(path) as file:
        assert file.read() == b"a\r\nb\x1a"


def test_what_is_not_there_has_the_systems_own_error(tmp_path: Path) -> None:
    """With its number, by which callers know it."""
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "a.png")


@pytest.mark.skipif(os.name == "nt", reason="needs links and pipes")
def test_a_folder_a_pipe_or_a_link_is_refused(tmp_path: Path) -> None:
    """At once: nobody writes to that pipe. No descriptor is left open."""
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "link").symlink_to("a.png")
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/dev/fd") if Path("/dev/fd").exists() else []  # noqa: PTH208
    for name in (".", "pipe"):
        with pytest.raises(OSError, match="it is no file") as refused:
            open_regular(tmp_path / name)
        assert refused.value.errno is None
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        open_regular(tmp_path / "link")
    assert (os.listdir("/dev/fd") if Path("/dev/fd").exists() else []) == before  # noqa: PTH208
