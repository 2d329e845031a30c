"""Files on a disk that fails: the journal's, the manifests' and the pictures'."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from runner.downloads.disk import LocalDisk
from tests.support.fuse import Fuse

_COUNTED = frozenset({"open", "write", "fsync", "replace", "mkdir"})


def _fail(number: int) -> None:
    raise OSError(number, os.strerror(number))


class _FailingOs:
    """The `os` that one module sees."""

    def __init__(self, fuse: Fuse, number: int) -> None:
        self._fuse = fuse
        self._number = number

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in _COUNTED:
            return real

        def call(*arguments: Any, **options: Any) -> Any:
            if self._fuse.blows():
                if name == "write":  # as a disk fills up: a part of it is there
                    os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                _fail(self._number)
            return real(*arguments, **options)

        return call


@contextmanager
def failing_os(module: str, fuse: Fuse, number: int = errno.ENOSPC) -> Iterator[None]:
    """The k-th call that `module` makes of `os` fails, and so does a rename of its part files."""
    real = Path.replace

    def replace(source: Path, target: Path) -> Path:
        if source.name.endswith(".part") and source.name.startswith(".") and fuse.blows():
            _fail(number)
        return real(source, target)

    with mock.patch(f"{module}.os", _FailingOs(fuse, number)), mock.patch.object(Path, "replace", replace):
        yield


@contextmanager
def failing_disk(fuse: Fuse, number: int = errno.ENOSPC) -> Iterator[None]:
    """The k-th thing that is done to the disk for a picture fails; so does the probe of the folder."""

    class Disk(LocalDisk):
        def create(self, path: Path) -> int:
            self._look()
            return super().create(path)

        def write(self, descriptor: int, data: bytes) -> None:
            if fuse.blows():
                super().write(descriptor, data[: len(data) // 2])
                _fail(number)
            super().write(descriptor, data)

        def finish(self, descriptor: int) -> None:
            self._look()
            super().finish(descriptor)

        def close(self, descriptor: int) -> None:
            super().close(descriptor)
            self._look()

        def replace(self, source: Path, target: Path) -> None:
            self._look()
            super().replace(source, target)

        def sync_folder(self, folder: Path) -> None:
            super().sync_folder(folder)
            self._look()

        def _look(self) -> None:
            if fuse.blows():
                _fail(number)

    with (
        mock.patch("runner.lifecycle.stages.LocalDisk", Disk),
        mock.patch("runner.downloads.disk.LocalDisk", Disk),
    ):
        yield
