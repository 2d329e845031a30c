"""A file that takes its place whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.errors import CannotWrite


def file_behind(path: Path) -> Path | None:
    """The file that is to be replaced, behind any link to it; None for what can only be written to.

    Its folder is made if missing. Blocks.

    Raises:
        CannotWrite: it is a folder, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise CannotWrite(f"{path} is a folder, not a file.", hint="Name a file with --output.")
        if path.exists() and not path.is_file():
            return None
        target = Path(os.path.realpath(path))
        if target.is_symlink():  # Path.resolve raises here, but only before Python 3.13
            raise CannotWrite(f"{path} is a link that leads to itself.", hint="Name a file with --output.")
        return target
    except OSError as error:
        raise refused(path, error) from error


def refused(path: Path, error: OSError) -> CannotWrite:
    """What the disk said, in words."""
    return CannotWrite(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Nothing is lost: make room or give leave, then write it again with `nightsheet export`.",
    )


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place at the end; a link to it stays a link.

    Raises:
        CannotWrite: it cannot be written, or is no file; what was there before is left as it was.
    """
    target = file_behind(path)
    if target is None:
        raise CannotWrite(
            f"{path} is a device or a pipe, whose place a copy cannot take. Nothing was written.",
            hint="Name a file with --output.",
        )
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
