"""A disk as a list of what was done to it, and every disk that a crash may leave of that.

The rules are POSIX's, and no file system's own: what was written to a file is there for certain once a sync
of that file has begun after it and has ended; a name, once a sync of its folder has. All else may be there or
not, in any order, and a write may be there in some of its sectors.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Sent:
    """Not of the disk: a submit leaves for the API, or a question about one that was accepted."""

    what: str
    """Its prompt, or the request_id that is asked about."""
    is_paid: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A file, or a folder, has a name from now on; a file may have had another one before."""

    file: int
    path: Path
    before: Path | None = None
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A name is gone."""

    path: Path


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes of a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Sized:
    """The length of a file: cut off there, or grown to that with zeros."""

    file: int
    length: int
    only_grows: bool = False


@dataclass(frozen=True, slots=True)
class Synced:
    """All that was done to a file, or to the names in a folder, before the op of number `began`."""

    target: int | Path
    began: int


Op = Named | Unnamed | Written | Sized | Synced


@dataclass
class Image:
    """What lies on a disk: folders, and files with their bytes."""

    names: dict[Path, int] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    files: dict[int, bytearray] = field(default_factory=lambda: defaultdict(bytearray))

    def do(self, op: Op | Sent) -> None:
        """Do one thing to it. What needs a name that is not there does nothing."""
        match op:
            case Named(path=path, is_folder=True):
                self.folders.add(path)
            case Named(file, path, before):
                if before is None:
                    self.names[path] = file
                elif before in self.names:
                    self.names[path] = self.names.pop(before)
            case Unnamed(path):
                self.names.pop(path, None)
                self.folders.discard(path)
            case Written(file, offset, data):
                held = self.files[file]
                held.extend(bytes(max(0, offset - len(held))))
                held[offset : offset + len(data)] = data
            case Sized(file, length, only_grows):
                held = self.files[file]
                if not only_grows:
                    del held[length:]
                held.extend(bytes(max(0, length - len(held))))
            case Synced() | Sent():
                pass

    def held(self) -> dict[Path, bytes]:
        """The files that can be reached, by their names."""
        return {path: bytes(self.files[file]) for path, file in self.names.items() if self._reaches(path)}

    def reached_folders(self) -> set[Path]:
        """The folders that are there."""
        return set(filter(self._reaches, self.folders))

    def forget(self, *endings: str) -> "Image":
        """Lose the files whose names end so, as well."""
        for path in [path for path in self.names if path.name.endswith(endings)]:
            del self.names[path]
        return self

    def put(self, root: Path) -> None:
        """Write it into an empty folder."""
        for folder in sorted(self.reached_folders()):
            (root / folder).mkdir(mode=0o700)
        for path, data in self.held().items():
            (root / path).write_bytes(data)
            (root / path).chmod(0o600)

    def _reaches(self, path: Path) -> bool:
        """Whether every folder above is there."""
        return self.folders.issuperset(path.parents[:-1])


@dataclass(frozen=True)
class Log:
    """What was done, in order. Paths are below the folder that is looked at, which itself is `Path()`."""

    ops: Sequence[Op | Sent]

    @cached_property
    def certain_from(self) -> Mapping[int, int]:
        """By the number of an op: the number of the sync after which a crash cannot undo it."""
        open_ops: dict[int | Path, list[int]] = defaultdict(list)
        found: dict[int, int] = {}
        for number, op in enumerate(self.ops):
            if isinstance(op, Synced):
                left = []
                for earlier in open_ops.pop(op.target, []):
                    if earlier < op.began:
                        found[earlier] = number
                    else:
                        left.append(earlier)
                open_ops[op.target] = left
            elif not isinstance(op, Sent):
                open_ops[_target(op)].append(number)
        return found

    @cached_property
    def moments(self) -> list[int]:
        """After how many ops a crash can find something new: all that follow a change, or a submit."""
        return [number + 1 for number, op in enumerate(self.ops) if not isinstance(op, Synced)]

    @property
    def order(self) -> str:
        """What was done, in its order, without bytes and names: they have times and chance in them."""
        told = (
            (type(op).__name__, getattr(op, "file", None), len(getattr(op, "data", ""))) for op in self.ops
        )
        return hashlib.sha256(repr(list(told)).encode()).hexdigest()

    def submitted(self, moment: int) -> list[str]:
        """The prompts of what had left for the API."""
        return [op.what for op in self.ops[:moment] if isinstance(op, Sent) and op.is_paid]

    def asked_about(self, moment: int) -> set[str]:
        """The request_ids that something had followed: each has to be on every disk."""
        return {op.what for op in self.ops[:moment] if isinstance(op, Sent) and not op.is_paid}

    def prefix(self, moment: int) -> Image:
        """The disk where all was done in order, as after kill -9 of the process."""
        return _done(self.ops[:moment])

    def prefixes(self, moments: Sequence[int]) -> Iterator[tuple[int, Image]]:
        """The same for several moments in their order, each with its own: one image, which is kept up."""
        image, done = Image(), 0
        for moment in moments:
            for op in self.ops[done:moment]:
                image.do(op)
            done = moment
            yield moment, image

    def after_power_cut(self, moment: int, dice: random.Random) -> Image:
        """One of the disks that a power cut may leave."""
        kept, torn = dice.choice(((0.0, 0.0), (0.5, 0.0), (0.5, 0.3), (0.9, 0.5)))
        image = Image()
        for number, op in enumerate(self.ops[:moment]):
            if self.certain_from.get(number, moment) < moment or dice.random() < kept:
                image.do(op)
            elif isinstance(op, Written) and dice.random() < torn:
                for part in _sectors(op):
                    if dice.random() < 0.5:
                        image.do(part)
        return image


def _done(ops: Iterable[Op | Sent]) -> Image:
    image = Image()
    for op in ops:
        image.do(op)
    return image


def _target(op: Op) -> int | Path:
    match op:
        case Named(path=path) | Unnamed(path):
            return path.parent
        case Written(file) | Sized(file):
            return file
        case Synced(target):
            return target


def _sectors(op: Written) -> Iterable[Written]:
    end = op.offset + len(op.data)
    at = op.offset
    while at < end:
        until = min(end, (at // SECTOR + 1) * SECTOR)
        yield Written(op.file, at, op.data[at - op.offset : until - op.offset])
        at = until
