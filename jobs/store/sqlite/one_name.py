"""Refuses a database file that has a second name: its lock and its -wal lie beside one name alone.

Two runners under two names would share no lock and no -wal, and send every row twice.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import CannotWrite

MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT = 4


def check_one_name(path: Path, mounts: Path = MOUNTS) -> None:
    """Check that a file, which may not exist yet, has one name.

    Raises:
        CannotWrite: it has a hard link, or is a mount point by itself.
    """
    try:
        links = path.stat().st_nlink
    except OSError:
        return  # whoever opens it says why it cannot be
    if links > 1:
        raise CannotWrite(
            f"{path} has {links} names (hard links): a runner under each would pay for every row.",
            hint="Keep one name and remove the others (`find . -samefile` lists them), or copy the file. "
            "Nothing was sent.",
        )
    if str(path) in _mount_points(mounts):
        raise CannotWrite(
            f"{path} is mounted by itself: what SQLite keeps beside it stays behind, and is lost.",
            hint="Mount the folder that holds it instead of the file. Nothing was sent.",
        )


def kind_of_mount(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a path lies on, such as `ext4`; empty where that is not known."""
    kinds = {point: kind for point, kind in _mounts(mounts) if path.is_relative_to(point)}
    return kinds[max(kinds, key=len)] if kinds else ""


def _mount_points(mounts: Path) -> frozenset[str]:
    return frozenset(point for point, _kind in _mounts(mounts))


def _mounts(mounts: Path) -> Iterator[tuple[str, str]]:
    """Every mount point and its kind of file system, the later ones on top."""
    try:
        text = mounts.read_text(errors="surrogateescape")
    except OSError:  # not Linux: nothing is known of mounts
        return
    for line in text.splitlines():
        fields, _, about = line.partition(" - ")
        if fields.count(" ") >= _MOUNT_POINT:
            point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields.split(" ")[_MOUNT_POINT])
            yield point, about.split(" ")[0]
