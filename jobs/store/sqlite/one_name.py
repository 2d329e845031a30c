"""Refuses a database file that has a second name: its lock and its -wal lie beside one name alone.

Two runners under two names would share no lock and no -wal, and send every row twice.
"""

import re
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


def _mount_points(mounts: Path) -> frozenset[str]:
    try:
        text = mounts.read_text(errors="surrogateescape")
    except OSError:  # not Linux: nothing is known of mounts
        return frozenset()
    points = (line.split(" ")[_MOUNT_POINT] for line in text.splitlines() if line.count(" ") > _MOUNT_POINT)
    return frozenset(_OCTAL.sub(lambda found: chr(int(found[1], 8)), point) for point in points)
