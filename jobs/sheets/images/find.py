"""Finds the files that a cell names: a file, the images of a folder, or those of a pattern, in a fixed order.

A sheet may come from somebody else, and the files it names are uploaded. So each must be below the sheet's
own folder, or below one that a setting names, after every link has been followed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""The endings of a folder's images. Their format is that of their content."""

MOST_FOUND = 1000
"""No model takes so many: a pattern that finds more is a mistake, and is not followed to its end."""

_WILD = re.compile(r"[*?\[]")
_DIGITS = re.compile(r"([0-9]+)")
_INSIDE = "Put it into the sheet's folder, or name its folder in the setting picture_folders."


@dataclass(frozen=True, slots=True)
class NotFound:
    """Why a text names no file that may be read, as a sentence, with a hint."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of images: the sheet's own, which names start from, and others; all of them resolved."""

    own: Path
    others: tuple[Path, ...] = ()

    @classmethod
    def of(cls, own: Path, others: Sequence[Path] = ()) -> "Folders":
        """These folders, wherever links to them lead."""
        return cls(own.resolve(), tuple(other.resolve() for other in others))

    def hold(self, path: Path) -> bool:
        """Whether a path without links is below one of them."""
        return any(path.is_relative_to(folder) for folder in (self.own, *self.others))


class _Outside(Exception):
    """A link leads out of the folders."""


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """A sort key that puts 2 before 10 and ignores case; names that are then equal sort by their letters."""
    pieces = _DIGITS.split(name.casefold())
    return tuple(int(piece) if place % 2 else piece for place, piece in enumerate(pieces)), name


def find_files(text: str, folders: Folders) -> tuple[Path, ...] | NotFound:
    """The regular files that `text` names, at least one, without links in their paths; or why none."""
    if text.startswith("~"):
        return NotFound("~ is not expanded here.", "Name the file from the sheet's folder.")
    try:
        return _found(text, folders)
    except _Outside:
        return NotFound("This is not below the sheet's folder, so it is not read.", _INSIDE)
    except (OSError, ValueError, RuntimeError):
        return NotFound("This cannot be the name of a file that may be read.")


def _found(text: str, folders: Folders) -> tuple[Path, ...] | NotFound:
    path = _within(folders.own / text, folders)
    kind = _mode(path)
    if kind is not None:
        if S_ISREG(kind):
            return (path,)
        if not S_ISDIR(kind):
            return NotFound("This is a device or a pipe, not a file.")
        return _some(_listed(path, folders), "There is no picture in this folder.")
    if not _WILD.search(text):
        return NotFound(
            "There is no such file in the sheet's folder, or below it.",
            "Name a file from there; an address begins with https://.",
        )
    parts = Path(text).parts
    first = next(place for place, part in enumerate(parts) if _WILD.search(part))
    patterns = parts[first:]
    if "**" in patterns or ".." in patterns:
        return NotFound("A pattern names files by *, ? and [...]: not ** and not ..", "refs/*.png")
    start = _within(folders.own / Path(*parts[:first]), folders)
    return _some(_matching(start, patterns, folders), "Nothing has a name like this.")


def _within(path: Path, folders: Folders) -> Path:
    resolved = path.resolve()
    if not folders.hold(resolved):
        raise _Outside
    return resolved


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _some(files: Iterator[Path], otherwise: str) -> tuple[Path, ...] | NotFound:
    found = tuple(islice(files, MOST_FOUND + 1))
    if len(found) > MOST_FOUND:
        return NotFound(f"This names more than {MOST_FOUND:,} files.", "Name fewer.")
    return found or NotFound(otherwise, "Look at its spelling: capitals count.")


def _listed(folder: Path, folders: Folders) -> Iterator[Path]:
    for name in _names(folder):
        if name.lower().endswith(IMAGE_ENDINGS):
            yield from _regular(folder / name, folders)


def _matching(folder: Path, patterns: Sequence[str], folders: Folders) -> Iterator[Path]:
    """In natural order of the folders, then of the files in each."""
    pattern, *rest = patterns
    for name in _names(folder) if _mode(folder) is not None else ():
        if not fnmatchcase(name, pattern):
            continue
        if not rest:
            yield from _regular(folder / name, folders)
        elif (inner := _within(folder / name, folders)).is_dir():
            yield from _matching(inner, rest, folders)


def _regular(path: Path, folders: Folders) -> Iterator[Path]:
    resolved = _within(path, folders)
    mode = _mode(resolved)
    if mode is not None and S_ISREG(mode):
        yield resolved


def _names(folder: Path) -> list[str]:
    """The names in a folder, without hidden ones, in natural order."""
    return sorted((path.name for path in folder.iterdir() if not path.name.startswith(".")), key=natural_key)
