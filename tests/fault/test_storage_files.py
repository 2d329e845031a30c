"""The journal, the pictures and the manifests fail at their k-th write: paid once, and home in the end."""

import errno
from functools import partial
from pathlib import Path

import pytest

from tests.fault.storage import Breaking, search
from tests.support.faulty_files import failing_disk, failing_os

PLACES: dict[str, Breaking] = {
    "journal": partial(failing_os, "runner.recovery.journal"),
    "manifests": partial(failing_os, "jobs.disk.atomic_file"),
    "pictures": failing_disk,
    "pictures-io": partial(failing_disk, number=errno.EIO),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for-ever"])
def test_a_file_fails(tmp_path: Path, for_ever: bool, place: str) -> None:
    """At every step that is taken with the disk, all of them in turn."""
    assert search(tmp_path, PLACES[place], for_ever=for_ever) >= 3
