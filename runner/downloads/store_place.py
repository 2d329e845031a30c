"""A place of images in a store that all machines reach: any fsspec file system that can make a file once.

Nobody holds a lock there. A name is taken by the one write that makes its object, which the store refuses to
everybody else (`If-None-Match: *`): so two writers cannot both have it, and none writes over another's image.
Whoever is refused, or hears nothing of his own write, looks at what lies there: the same content is his own.
"""

import errno
import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from runner.downloads.disk import Disk, discard, prepare_folder
from runner.downloads.image_place import MOST_NAMES, names

_PROBE = ".nightsheet-probe"


class StorePlace:
    """A prefix in a store: `files` is the file system, `root` the bucket with the prefix.

    Images arrive in the folder `spool` of this machine.
    """

    def __init__(self, files: Any, root: str, disk: Disk, spool: Path) -> None:
        self._files = files
        self._root = root.rstrip("/")
        self._disk = disk
        self._spool = spool

    def trouble(self) -> str | None:
        """Why no image can be kept there: it cannot be written, or writes over what it has."""
        name = f"{self._root}/{_PROBE}-{secrets.token_hex(8)}"
        try:
            if not self._made(name, b"one"):
                return f"{self._root} cannot be written: it says that a name is taken which is new"
            try:
                if self._made(name, b"two") or self._read(name) != b"one":
                    return (
                        f"{self._root} cannot be used: the store writes over what it has (it knows no "
                        "If-None-Match), and two runs could lose each other's pictures"
                    )
            finally:
                with suppress(OSError):
                    self._asked(self._files.rm_file, name)
        except OSError as error:
            return f"{self._root} cannot be written: {error.strerror or type(error).__name__}"
        return None

    def spool(self, below: PurePosixPath) -> Path:
        """A folder of its own, which never has a final name."""
        return prepare_folder(self._disk, self._spool, below)

    def keep(self, part: Path, name: PurePosixPath, suffix: str, sha256: str) -> PurePosixPath:
        """Put it there by one write. Only then the file of this machine goes."""
        data = part.read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise OSError(errno.EIO, "it is not what arrived any more")
        for free in names(name, suffix):
            if self._is_kept(free, data, sha256):
                discard(part)
                return free
        raise OSError(errno.EEXIST, f"{MOST_NAMES} files of that name are there already")

    def sha256_of(self, name: PurePosixPath) -> str | None:
        try:
            return hashlib.sha256(self.read(name)).hexdigest()
        except FileNotFoundError:
            return None

    def read(self, name: PurePosixPath) -> bytes:
        return self._read(f"{self._root}/{name}")

    def _is_kept(self, name: PurePosixPath, data: bytes, sha256: str) -> bool:
        """Whether it lies there now; no if the name is another image's."""
        try:
            return self._made(f"{self._root}/{name}", data) or self.sha256_of(name) == sha256
        except OSError:
            with suppress(OSError):  # the answer was lost, perhaps, and not the write
                if self.sha256_of(name) == sha256:
                    return True
            raise

    def _made(self, path: str, data: bytes) -> bool:
        """Whether this write made the object; no if there was one before."""
        try:
            self._asked(self._files.pipe_file, path, data, mode="create")
        except FileExistsError:
            return False
        return True

    def _read(self, path: str) -> bytes:
        read: bytes = self._asked(self._files.cat_file, path)
        return read

    def _asked(self, ask: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """What the store answers. Each has errors of its own, and their texts may quote a secret."""
        try:
            return ask(*arguments, **more)
        except OSError:
            raise
        except Exception as error:
            raise OSError(errno.EIO, f"the store does not answer ({type(error).__name__})") from error
