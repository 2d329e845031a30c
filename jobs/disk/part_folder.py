"""A folder on its way, under a name of its own. What a killed one left is cleared by the next."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from jobs.disk.atomic_file import sync_folder, unique_part
from jobs.disk.living_part import OLD, clear_dead, living


@contextmanager
def part_folder(target: Path) -> Iterator[Path]:
    """A new folder beside `target`, which is gone at the end of the block, if it is still there.

    Raises:
        OSError: the disk refuses.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_dead(target)
    part = target.with_name(f".{target.name}.{unique_part()}")
    with ExitStack() as stack:
        stack.enter_context(living(part))
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
        aside = part.with_suffix(OLD)
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
