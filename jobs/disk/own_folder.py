"""A folder that an export writes: it takes its place whole, and only of a folder that an export wrote.

A file in it says what it is and lists the others with their sizes. So a folder in which somebody has put or
changed a file is known, and is not replaced.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from jobs.disk.atomic_file import cannot_write
from jobs.disk.part_folder import part_folder, take_place
from jobs.errors import UsageProblem

LIST = ".nightsheet"
"""The name of that file."""
_KIND = "nightsheet"


@contextmanager
def own_folder(target: Path, kind: str) -> Iterator[Path]:
    """A new folder to write into, which becomes `target` at the end of the block. Blocks.

    Raises:
        UsageProblem: something else is there, which is left as it was.
        CannotWrite: the disk refuses.
    """
    try:
        check_own_folder(target)
        with part_folder(target) as part:
            yield part
            _write_list(part, kind)
            check_own_folder(target)  # writing took its time
            take_place(part, target)
    except OSError as error:
        raise cannot_write(target, error) from error


def check_own_folder(target: Path) -> None:
    """Check that nothing is lost where `target` is replaced. Blocks.

    Raises:
        UsageProblem: it is no folder, or one with a file that no export wrote.
    """
    why = _in_the_way(target)
    if why:
        raise UsageProblem(
            f"{target} {why}. Nothing was written.",
            hint="Name a new folder with --output, or move that one away.",
        )


def _in_the_way(target: Path) -> str:
    if target.is_symlink():
        return "is a link, which is not followed"
    if not target.exists():
        return ""
    if not target.is_dir():
        return "is there already, and is no folder"
    if not (target / LIST).is_file():
        return "is there already, and is not a folder of an export" if any(target.iterdir()) else ""
    return "" if _is_as_written(target) else "has files that were added or changed since it was written"


def _is_as_written(folder: Path) -> bool:
    """Whether it has what its list says, and as many files: then there is no other."""
    listed = 0
    try:
        with (folder / LIST).open(encoding="utf-8") as lines:
            if _KIND not in json.loads(next(lines)):
                return False
            for line in lines:
                name, size = json.loads(line)
                listed += 1
                if not _is_inside(name) or _size_of(folder / name) != size:
                    return False
    except (OSError, ValueError, TypeError, StopIteration):
        return False
    return listed == sum(1 for _ in _files(folder))


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _write_list(folder: Path, kind: str) -> None:
    with (folder / LIST).open("w", encoding="utf-8") as file:
        file.write(json.dumps({_KIND: kind}) + "\n")
        for path in _files(folder):
            told = [path.relative_to(folder).as_posix(), _size_of(path)]
            file.write(json.dumps(told) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _files(folder: Path) -> Iterator[Path]:
    """Everything in it that is no folder, but the list."""
    for inner, folders, names in os.walk(folder):
        links = [name for name in folders if Path(inner, name).is_symlink()]
        for name in (*names, *links):
            path = Path(inner, name)
            if path != folder / LIST:
                yield path


def _size_of(path: Path) -> int | None:
    """The size of a regular file; None for a link. A file that is not there has none of either."""
    try:
        found = path.lstat()
    except OSError:
        return -1
    return found.st_size if S_ISREG(found.st_mode) else None
