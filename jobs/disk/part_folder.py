"""A folder on its way, under a name of its own, and what one whose process was killed has left.

A lock beside it is held while it is written, and is free once its process is gone: whoever writes to the same
place next removes what lies there, and puts back a folder that was just being replaced.
"""

import glob
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from jobs.disk.atomic_file import sync_folder, unique_part

_PART, _OLD, _LOCK = ".part", ".old", ".lock"


@contextmanager
def part_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, which is gone at the end of the block, if it is still there.

    Raises:
        OSError: the disk refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear(target)
    part = target.with_name(f".{target.name}.{unique_part()}")
    with ExitStack() as stack:
        lock = FileLock(part.with_suffix(_LOCK))
        stack.callback(part.with_suffix(_LOCK).unlink, missing_ok=True)
        with suppress(NotImplementedError):  # no locks there: then nobody takes it for one that is dead
            stack.enter_context(lock.acquire(timeout=0))
        stack.callback(shutil.rmtree, part, ignore_errors=True)
        part.mkdir()
        yield part


def take_place(part: Path, target: Path) -> None:
    """Rename it into the place of `target`, which is put aside until that is done.

    Raises:
        OSError: the disk refuses; what was there before is there.
    """
    if not target.exists():
        part.rename(target)
    else:
        aside = part.with_suffix(_OLD)
        target.rename(aside)
        try:
            part.rename(target)
        except OSError:
            with suppress(OSError):
                aside.rename(target)
            raise
        finally:  # put back, or replaced by this one or by another's
            if target.exists():
                shutil.rmtree(aside, ignore_errors=True)
    sync_folder(target.parent)


def _clear(target: Path) -> None:
    for place in target.parent.glob(f".{glob.escape(target.name)}.????????{_LOCK}"):
        lock = FileLock(place)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError, NotImplementedError):
            continue  # it is being written
        old = place.with_suffix(_OLD)
        with suppress(OSError):
            if not target.exists():
                old.rename(target)
        for left in (place.with_suffix(_PART), old):
            shutil.rmtree(left, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            place.unlink(missing_ok=True)
