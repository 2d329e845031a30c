"""Ownership of files: which are Nightsheet's own manifests, and which a run must not replace."""

import json
import os
from pathlib import Path
from typing import BinaryIO

OF_A_RUN = ("manifest.jsonl", "manifest.csv")
"""What a run writes when it ends."""

_HEADER = b"batch,key,row,model,state"
_IN_A_RECORD = frozenset({"batch", "key", "row", "model", "state"})
_LONGEST_LINE = 16 * 1024 * 1024
PARQUET_MARK = b"nightsheet"
"""A key of a Parquet file's own metadata, by which one of ours is known."""
_PARQUET = b"PAR1"


def manifests_in(folder: Path) -> tuple[Path, ...]:
    """The manifests that a run writes into this folder."""
    return tuple(folder / name for name in OF_A_RUN)


def is_manifest(file: Path) -> bool:
    """Whether the first line is that of a manifest, or it is a Parquet file of ours. Blocks.

    An empty file is one, of a batch without jobs.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        if opened.read(len(_PARQUET)) == _PARQUET:
            return PARQUET_MARK in _footer(opened)
        opened.seek(0)
        first = opened.readline(_LONGEST_LINE)
    return not first or first.startswith(_HEADER) or _is_record(first)


def in_the_way(path: Path) -> str | None:
    """Why a run must not write a manifest here, as a sentence without full stop; None where it may. Blocks.

    The user did not name this path for a manifest, so a link there is not followed, as for images.
    """
    try:
        if path.is_symlink():
            return f"{path} is a link, which is not followed"
        if path.exists() and not (path.is_file() and is_manifest(path)):
            return f"{path} is there already, and is no manifest of Nightsheet's"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror or error}"
    return None


def _footer(file: BinaryIO) -> bytes:
    """A Parquet file's metadata, which stands at its end; empty where it does not."""
    end = len(_PARQUET) + 4
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - end))
    length = int.from_bytes(file.read(4), "little")
    if file.read() != _PARQUET or not length <= min(size - end, _LONGEST_LINE):
        return b""
    file.seek(size - end - length)
    return file.read(length)


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.keys() >= _IN_A_RECORD
