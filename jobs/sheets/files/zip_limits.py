"""Limits of zip archives, checked before anything is unpacked: a few kilobytes may declare gigabytes.

The sizes are those that the archive declares; Python unpacks no more of a member than that.
"""

import re
import zipfile
import zlib
from pathlib import Path
from typing import IO

MOST_MEMBERS = 10_000
LARGEST_PART = 20_000_000
"""Bytes of a part that is held in memory as a tree: the list of worksheets, the styles."""
LARGEST_TEXTS = 200_000_000
"""Bytes of the texts of all cells, which are held in memory."""
LARGEST_WORKSHEET = 2_000_000_000
"""Bytes of a worksheet, of which a row is held in memory."""
LARGEST_IMAGE = 50_000_000
"""Bytes of an image, a drawing or a chart: only a copy holds them in memory."""
LARGEST_COPY = 500_000_000
"""Bytes of all parts of a workbook that is copied, which are held in memory together."""
FREE = 100_000_000
"""Bytes up to which any compression ratio is accepted."""
MOST_PACKED = 200
"""The largest compression ratio of a part; worksheets reach 5 to 30."""

_IMAGES = ("xl/media/", "xl/drawings/", "xl/charts/", "xl/embeddings/")


class BadArchive(Exception):
    """Not an archive, or one that is not unpacked, as a sentence for the user."""


def check_workbook(path: Path, *, whole: bool = False) -> None:
    """Check every part of a workbook that is read; `whole`: its images too, and the sum of all parts.

    Raises:
        BadArchive: it is no archive, or unpacks to too much.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise BadArchive("This is not a workbook (.xlsx): it is no zip archive.") from error
    if len(members) > MOST_MEMBERS:
        raise BadArchive(f"The workbook has {len(members):,} parts, at most {MOST_MEMBERS:,} are read.")
    for member in members:
        if member.filename.startswith(_IMAGES) and not whole:
            continue
        if member.flag_bits & 1:
            raise BadArchive("The workbook is protected by a password.")
        most = _most(member.filename)
        if member.file_size > most:
            raise BadArchive(f"A part of the workbook unpacks to more than {most // 1_000_000:,} MB.")
        if member.file_size > FREE and member.file_size > MOST_PACKED * member.compress_size:
            raise BadArchive(f"A part of the workbook unpacks to more than {MOST_PACKED} times its size.")
    if whole and sum(member.file_size for member in members) > LARGEST_COPY:
        raise BadArchive(f"The workbook unpacks to more than {LARGEST_COPY // 1_000_000:,} MB.")


def _most(name: str) -> int:
    if name.startswith(_IMAGES):
        return LARGEST_IMAGE
    if name.startswith("xl/worksheets/") and name.endswith(".xml"):
        return LARGEST_WORKSHEET
    return LARGEST_TEXTS if name.lower().endswith("sharedstrings.xml") else LARGEST_PART


# Some programs write every tag with a namespace prefix.
_FORMULA = re.compile(rb"<(?:[A-Za-z0-9]+:)?f[ />]")
_LONGEST_BEGINNING = 64


def has_formulas(path: Path) -> bool:
    """Whether any worksheet has a formula. Searches bytes, which is far faster than reading cells.

    Raises:
        BadArchive: a part cannot be unpacked.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if "/worksheets/" in member.filename and member.filename.endswith(".xml"):
                    with archive.open(member) as part:
                        if _holds(part, _FORMULA):
                            return True
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadArchive("The workbook cannot be unpacked: it is damaged.") from error
    return False


def _holds(part: IO[bytes], wanted: re.Pattern[bytes]) -> bool:
    tail = b""
    while piece := part.read(1 << 20):
        if wanted.search(tail + piece):
            return True
        tail = piece[-_LONGEST_BEGINNING:]
    return False
