"""The bytes of an image as they come: few are collected in memory, many go to a `.part` file at once.

A hop to a thread and back costs more than all that a small image needs there. So one of up to a megabyte has
no file until it is here; then it is hashed, proven, written, synced and named in a single hop.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anyio import to_thread

from runner.downloads.disk import Disk, PartFile, part_path, prepare_folder
from runner.downloads.placement import place, sha256_of
from runner.downloads.png import PngProof
from runner.downloads.unsynced import UnsyncedFolders
from runner.downloads.validate import Broken, ImageFacts

MOST_IN_MEMORY = 1024 * 1024
"""Bytes of an image. Few images are downloaded at once, so that is little memory."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an image goes: to `name` below `root`, without a suffix. `mark` is for its incomplete file.

    `replaces` is the hash of an earlier download, which may be overwritten; `unsynced` is the run's.
    """

    disk: Disk
    root: Path
    name: PurePosixPath
    unsynced: UnsyncedFolders
    mark: str = ""
    replaces: str | None = None

    @property
    def path(self) -> Path:
        """The whole of it."""
        return self.root / self.name


class IncomingImage:
    """The bytes of one image, in their order. What touches the disk may raise OSError, here and below."""

    def __init__(self, target: Target, max_pixels: int) -> None:
        self.size = 0
        """Bytes that have come."""
        self.refused = 0
        """How often it could not get its name: on Windows a viewer may hold the old file open."""
        self._target = target
        self._max_pixels = max_pixels
        self._digest = hashlib.sha256()
        self._proof = PngProof()
        self._collected: list[bytes] = []
        self._part: PartFile | None = None

    async def expect(self, size: int | None) -> None:
        """So many bytes are announced."""
        if size is not None and size > MOST_IN_MEMORY:
            await to_thread.run_sync(self._to_disk)

    async def take(self, piece: bytes) -> None:
        """The next bytes have come."""
        self.size += len(piece)
        if self._part is not None:
            self._add(self._part, piece)  # not in a thread: measured, that costs less than half
            return
        self._collected.append(piece)
        if self.size > MOST_IN_MEMORY:
            await to_thread.run_sync(self._to_disk)

    async def settled(self) -> tuple[ImageFacts | Broken | None, Path | None]:
        """What the bytes prove, now that all are here, and the path of an image that has its name already.

        None for the former: a decoder has to say it, and `part` is where it finds them.
        """
        if self._part is not None:
            return self._proof.finding(self._max_pixels), None
        return await to_thread.run_sync(self._settle)

    @property
    def part(self) -> Path:
        """The incomplete file."""
        assert self._part is not None
        return self._part.path

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._digest.hexdigest()

    def name(self, suffix: str, *, replacing: bool = True) -> Path:
        """Have it on the disk, and then give it its name; which one that is. Blocks.

        Raises:
            PermissionError: the old file cannot be replaced now, as `refused` counts.
        """
        target = self._target
        assert self._part is not None
        try:
            self._part.finish()
            replaces = target.replaces if replacing else None
            path = place(target.disk, self._part.path, target.path, suffix, self.sha256, replaces)
            self._part.is_moved = True
            target.unsynced.sync_above(target.disk, path.parent)
            return path
        except PermissionError:
            self.refused += 1
            raise

    def keep_bad(self) -> None:
        """Keep what has come, if anything has, under a name that says what it is. Blocks."""
        if not self.size:
            return
        if self._part is None:
            self._to_disk()
        assert self._part is not None
        self._part.finish()
        place(self._target.disk, self.part, self._target.path, ".bad", sha256_of(self.part))

    def discard(self) -> None:
        """Delete what is left of an incomplete file."""
        if self._part is not None:
            self._part.discard()

    def _settle(self) -> tuple[ImageFacts | Broken | None, Path | None]:
        pieces = b"".join(self._collected)
        self._prove(pieces)
        finding = self._proof.finding(self._max_pixels)
        if isinstance(finding, Broken):
            return finding, None
        self._open().write(pieces)
        if finding is None:
            return None, None
        try:
            return finding, self.name(finding.suffix)
        except PermissionError:
            return finding, None

    def _to_disk(self) -> None:
        """Go on in a file, with what was collected."""
        part, collected = self._open(), self._collected
        self._collected = []
        for piece in collected:
            self._add(part, piece)

    def _open(self) -> PartFile:
        target = self._target
        folder = prepare_folder(target.disk, target.root, target.name.parent, target.unsynced)
        self._part = PartFile(target.disk, part_path(folder, target.name.name, target.mark))
        return self._part

    def _add(self, part: PartFile, piece: bytes) -> None:
        part.write(piece)
        self._prove(piece)

    def _prove(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._proof.feed(piece)
