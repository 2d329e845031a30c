"""Where images get their final names: a folder of this machine, or a store that all machines reach.

An image arrives in a file of this machine, whole, hashed and synced, whatever the place. Then it gets a name
there that no other image has, and nothing that lies there is lost for it: the same content is taken as it is,
and other content has its own name.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from runner.downloads.disk import Disk, prepare_folder, probe_writable
from runner.downloads.placement import place, sha256_of

MOST_NAMES = 99


class ImagePlace(Protocol):
    """A place of images. Every method blocks, and those that change something may raise OSError."""

    def trouble(self) -> str | None:
        """Why no image can be kept there, for the user, before anything is paid; None if one can."""
        ...

    def spool(self, below: PurePosixPath) -> Path:
        """The folder of this machine where an image arrives that is to be kept in the folder `below`."""
        ...

    def keep(self, part: Path, name: PurePosixPath, suffix: str, sha256: str) -> PurePosixPath:
        """Keep a file for good, under `name` and `suffix` or one like it; which, told from the root.

        Afterwards `part` is gone. It stays where this fails, and may be kept once more.
        """
        ...

    def sha256_of(self, name: PurePosixPath) -> str | None:
        """The hash of what lies there under a name; None where nothing does that can be read."""
        ...

    def read(self, name: PurePosixPath) -> bytes:
        """What lies there under a name. Raises OSError where there is nothing."""
        ...


class FolderPlace:
    """A folder of this machine, or one that it has mounted."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self._disk = disk
        self._root = root

    def trouble(self) -> str | None:
        return probe_writable(self._root, self._disk)

    def spool(self, below: PurePosixPath) -> Path:
        # Beside its final name: a rename within a folder is whole or not at all.
        return prepare_folder(self._disk, self._root, below)

    def keep(self, part: Path, name: PurePosixPath, suffix: str, sha256: str) -> PurePosixPath:
        return name.with_name(place(self._disk, part, self._root / name, suffix, sha256).name)

    def sha256_of(self, name: PurePosixPath) -> str | None:
        return sha256_of(self._root / name)

    def read(self, name: PurePosixPath) -> bytes:
        return (self._root / name).read_bytes()


def names(wanted: PurePosixPath, suffix: str) -> Iterator[PurePosixPath]:
    """The names that an image may get, the first one that is free."""
    yield wanted.with_name(wanted.name + suffix)
    for number in range(2, MOST_NAMES + 1):
        yield wanted.with_name(f"{wanted.name}-{number}{suffix}")
