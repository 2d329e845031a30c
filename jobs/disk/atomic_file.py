"""Atomic writes: a file that takes its place whole, or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from jobs.disk.living_part import clear_dead, living
from jobs.errors import CannotWrite

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class AtomicFile:
    """A new file beside its target, which takes the target's place on `commit`.

    Leaving the block without a commit removes it, and the target stays as it was. Bytes go in by `write`, or
    by whatever opens `path`; with a `mark` its name tells whose it is. Everything here blocks and raises
    OSError.
    """

    def __init__(self, target: Path, mark: str = "") -> None:
        self.path = target.with_name(f".{target.name}.{unique_part(mark)}")
        self._target = target
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._descriptor = os.open(self.path, _NEW, 0o666)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append all of the data."""
        assert self._descriptor is not None
        write_all(self._descriptor, data)

    def sync(self) -> None:
        """Have all that was written on the disk: then a commit needs no more room."""
        assert self._descriptor is not None
        os.fsync(self._descriptor)

    def commit(self, *, durable: bool = True) -> None:
        """Give the file the target's name; `durable`: its bytes are on the disk before, the name after."""
        if durable:
            self.sync()
        self._close()  # an open file cannot be renamed on Windows
        self.path.replace(self._target)
        if durable:
            sync_folder(self._target.parent)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def atomic_file(target: Path, mark: str = "") -> Iterator[AtomicFile]:
    """An atomic file; what a killed one left on its way to `target` is removed before. Blocks.

    Raises:
        OSError: the disk refuses.
    """
    clear_dead(target)
    file = AtomicFile(target, mark)
    with living(file.path), file:
        yield file


def unique_part(mark: str = "") -> str:
    """The end of an incomplete file's name, which no other one has; `mark` says whose it is."""
    return f"{mark}{'-' if mark else ''}{secrets.token_hex(4)}.part"


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data, however little of it a single call takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replaceable(path: Path) -> Path | None:
    """The file that a write to `path` replaces, behind any link; None for a pipe or a device.

    Makes its folder if missing. Blocks.

    Raises:
        CannotWrite: it is a folder, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise CannotWrite(f"{path} is a folder, not a file.", hint="Name a file with --output.")
        if path.exists() and not path.is_file():
            return None
        target = Path(
            os.path.realpath(path)
        )  # Path.resolve raises for a loop of links only before Python 3.13
        if target.is_symlink():
            raise CannotWrite(f"{path} is a link that leads to itself.", hint="Name a file with --output.")
        return target
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """The disk's refusal as an error for the user."""
    return CannotWrite(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Nothing is lost: make room or give permission, then write it again with `nightsheet export`.",
    )


@contextmanager
def replacement(path: Path) -> Iterator[Path]:
    """A new file to write to, which replaces `path` at the end of the block; a link there stays a link.

    Raises:
        CannotWrite: it cannot be written, or is no file; what was there before is left as it was.
    """
    target = replaceable(path)
    if target is None:
        raise CannotWrite(
            f"{path} is a device or a pipe, whose place a copy cannot take. Nothing was written.",
            hint="Name a file with --output.",
        )
    try:
        with atomic_file(target) as file:
            yield file.path
            file.commit()
    except OSError as error:
        raise cannot_write(path, error) from error
