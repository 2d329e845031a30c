"""Who is alive among those that write to one place, and what the dead have left.

An incomplete file or folder has a lock beside it, which is held while it is written and is free once its
process is gone. Whoever writes to the same place next removes what lies there. What has no such lock is left
alone: it may be anybody's.
"""

import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

PART, OLD, LOCK = ".part", ".old", ".lock"
_UNIQUE = r"(?:[0-9a-f]{8}-)?[0-9a-f]{8}"
"""What `unique_part` of jobs/disk/atomic_file.py makes, without its suffix."""
_PATIENCE_SECONDS = 1.0
"""For somebody who looks at that very moment whether it is a dead one's."""


@contextmanager
def living(part: Path) -> Iterator[None]:
    """Hold the lock beside an incomplete file or folder. Blocks.

    Raises:
        OSError: the disk refuses.
    """
    place = part.with_suffix(LOCK)
    place.parent.stat()  # the lock would make a folder that is missing
    lock = FileLock(place, thread_local=False)
    with ExitStack() as stack:
        stack.callback(_remove, place)
        with suppress(NotImplementedError):  # no locks there: then nobody takes it for one that is dead
            stack.enter_context(lock.acquire(timeout=_PATIENCE_SECONDS))
        yield


def clear_dead(target: Path) -> None:
    """Remove what the dead left on their way to `target`, and put back a folder that was being replaced.

    Blocks. What cannot be removed is left.
    """
    name = re.compile(rf"\.{re.escape(target.name)}\.{_UNIQUE}{re.escape(LOCK)}")
    try:
        places = [place for place in target.parent.iterdir() if name.fullmatch(place.name)]
    except OSError:
        return
    for place in places:
        if _is_lock(place):
            _clear(place, target)


def _clear(place: Path, target: Path) -> None:
    lock = FileLock(place, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError, NotImplementedError):
        return  # it is being written
    old = place.with_suffix(OLD)
    with suppress(OSError):
        if not target.exists():
            old.rename(target)
    for left in (place.with_suffix(PART), old):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            _remove(left)
    lock.release()
    _remove(place)


def _is_lock(place: Path) -> bool:
    """Whether it is one of ours, by all that can be seen of it: a regular file with nothing in it."""
    try:
        found = place.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def _remove(place: Path) -> None:
    with suppress(OSError):
        place.unlink(missing_ok=True)
