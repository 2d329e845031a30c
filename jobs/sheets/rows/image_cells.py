"""Cells of images: URLs, names of sets, files of this computer, in any mixture."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jobs.problems import excerpt
from jobs.sheets.images.album import Album, LocalImage, Reference
from jobs.sheets.images.find import NotFound
from jobs.sheets.images.way import Way
from jobs.sheets.row import Cell
from jobs.suggestions import closest, did_you_mean

ImageSets = Mapping[str, tuple[Reference, ...]]

MOST_BYTES_INSIDE = 40_000_000
"""Of all images of a request together: as text they are a third larger, and clients of the API send at most
64 MiB."""

_JOINED = re.compile(r"[,;\s]+(?=https?://)", re.IGNORECASE)
"""Between addresses that a program joined otherwise than by a bar."""
_NO_SET = "neither an https address nor an image set of this sheet"
_HOW = (
    "--upload s3://BUCKET/PREFIX puts them into a store; --upload data-uri puts them into the request, which "
    "is not documented for these models; https:// addresses need neither, nor does a rehearsal (--emulator)."
)


@dataclass(slots=True)
class ImageCells:
    """The values to send, and the files among them; or the problems: part of the cell, sentence, hint."""

    values: list[str] = field(default_factory=list)
    files: list[LocalImage] = field(default_factory=list)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_image_cell(cell: Cell, sets: ImageSets, album: Album) -> ImageCells:
    """The images that a cell names, in order. The model's own check rejects texts that are no URL."""
    read = ImageCells()
    for part in cell.split("|") if isinstance(cell, str) else cell:
        if "://" in part:
            part = part.strip().rstrip(",;")  # left over where a list of addresses was joined
        if "://" in part and len(several := _JOINED.split(part)) > 1:
            for name in several:
                _add(read, name, sets, name)
            continue
        name = part.strip()
        for found in _named(name, sets, album):
            _add(read, found, sets, name)
    if read.files and not read.wrong:
        whole = cell if isinstance(cell, str) else "|".join(cell)
        read.wrong += [(whole, *reason) for reason in _not_sent(read.files, album.way)]
    return read


def is_address(text: str) -> bool:
    """Whether a text is meant as a URL, and not as the name of a file."""
    return not text or "://" in text or text[:5].lower() == "data:"


def refusals(picture: LocalImage) -> Iterator[tuple[str, str]]:
    """The reasons an image is rejected for: a sentence and a hint each."""
    for flaw in picture.refused:
        yield f"{excerpt(picture.shown)}: {flaw.message}", flaw.hint


def _named(name: str, sets: ImageSets, album: Album) -> tuple[Reference | NotFound, ...]:
    if name in sets:
        return sets[name]
    if is_address(name):
        return (name,)
    if album.folders is not None:
        return album.find(name)
    return (NotFound(_NO_SET) if sets and ":" not in name else name,)


def _add(read: ImageCells, found: Reference | NotFound, sets: ImageSets, name: str) -> None:
    match found:
        case NotFound(message=message, hint=hint):
            read.wrong.append((name, *_missing(name, message, hint, sets)))
        case LocalImage() if found.refused:
            read.wrong += [(name, *reason) for reason in refusals(found)]
        case LocalImage():
            read.files.append(found)
            read.values.append(found.name)
            read.warnings += [f"{excerpt(found.shown)}: {flaw.message} {flaw.hint}" for flaw in found.flaws]
        case _:
            read.values.append(found)


def _missing(name: str, message: str, hint: str, sets: ImageSets) -> tuple[str, str]:
    """The problem of a name without an image, with the image set that was probably meant."""
    hint = did_you_mean(closest(name, sets), hint)
    if message != _NO_SET:
        return message, hint
    return f"{excerpt(name)} is {message}.", hint or f"The sheet has {', '.join(sets)}."


def _not_sent(files: list[LocalImage], way: Way) -> Iterator[tuple[str, str]]:
    """Why valid images cannot be sent."""
    size = sum(picture.bytes for picture in files)
    if way is Way.REFUSE:
        yield "The row names pictures of this computer, and nothing says how they get to the API.", _HOW
    elif way is Way.INSIDE and size > MOST_BYTES_INSIDE:
        yield (
            f"{len(files)} pictures have {size / 1e6:.0f} MB: too much to be sent inside a request.",
            "Make them smaller, or use a store: --upload s3://BUCKET/PREFIX.",
        )
