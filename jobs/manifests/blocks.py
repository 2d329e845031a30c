"""A manifest as blocks: the records of so many jobs each, of which length and checksum are known.

So the next run can take over a block of the old file without making its records, once it has proven that
these are the bytes that were written: somebody may have edited the file, or put another one in its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple
from zlib import crc32

from jobs.disk.atomic_file import AtomicFile
from jobs.views import JobColumns


class Block(NamedTuple):
    """Records that stand together in a file."""

    number: int
    length: int
    checksum: int


@dataclass(frozen=True, slots=True)
class WrittenManifests:
    """What the manifests of a folder are made of."""

    made_by: Sequence[Any]
    """What all their records depend on: with another one no block is the same."""
    columns: JobColumns
    unsure: frozenset[int]
    """Blocks that may tell another thing though no row changes: an image was not at its place, or is one that
    nobody looks for at a run's end."""
    files: Mapping[str, Sequence[Block]]
    """By the name of a file, in its order."""

    def as_json(self) -> dict[str, Any]:
        """As the table keeps it."""
        return {
            "made_by": list(self.made_by),
            "columns": [list(self.columns.models), list(self.columns.own), self.columns.linked],
            "unsure": sorted(self.unsure),
            "files": dict(self.files),
        }


def written_of(kept: dict[str, Any] | None) -> WrittenManifests | None:
    """What the table keeps of them; None where it keeps nothing, or what no version of ours has written."""
    if kept is None:
        return None
    try:
        models, own, linked = kept["columns"]
        return WrittenManifests(
            kept["made_by"],
            JobColumns(tuple(models), tuple(own), bool(linked)),
            frozenset(kept["unsure"]),
            {name: [Block(*map(int, block)) for block in blocks] for name, blocks in kept["files"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


@dataclass(slots=True)
class BlockFile:
    """A new manifest that is written block by block. What it does blocks, and raises OSError."""

    file: AtomicFile
    blocks: list[Block] = field(default_factory=list)

    def write(self, number: int, data: bytes) -> None:
        """Append records of a block; those of one block come one after the other."""
        self.file.write(data)
        length = checksum = 0
        if self.blocks and self.blocks[-1].number == number:
            _, length, checksum = self.blocks.pop()
        self.blocks.append(Block(number, length + len(data), crc32(data, checksum)))

    def take_over(self, block: Block, data: bytes) -> None:
        """Append a block as the old file has it."""
        self.file.write(data)
        self.blocks.append(block)


@dataclass(slots=True)
class OldManifest:
    """A manifest of the last run, read from its beginning to its end. What it does blocks."""

    file: BinaryIO
    blocks: Mapping[int, Block]

    def has(self, expected: bytes) -> bool:
        """Whether these bytes are next."""
        return self._read(len(expected)) == expected

    def take(self, number: int) -> tuple[Block, bytes] | None:
        """The block that is next; None if it is not what was written there."""
        block = self.blocks[number]
        data = self._read(block.length)
        return (block, data) if len(data) == block.length and crc32(data) == block.checksum else None

    def skip(self, number: int) -> None:
        """Go on behind this block, if there is one; whatever stands there is not looked at."""
        if number in self.blocks:
            self._read(self.blocks[number].length)

    def is_read(self) -> bool:
        """Whether nothing is left of it."""
        return not self._read(1)

    def _read(self, length: int) -> bytes:
        try:
            return self.file.read(max(length, 0))
        except OSError:
            return b""  # not what was written there
