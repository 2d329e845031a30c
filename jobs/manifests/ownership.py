"""Ownership of files: which are Nightsheet's own manifests, and which a run must not replace."""

import csv
import json
from datetime import datetime
from pathlib import Path

OF_A_RUN = ("manifest.jsonl", "manifest.csv")
"""What a run writes when it ends."""

_HEADER = b"batch,key,row,model,state"
_IN_A_RECORD = frozenset({"batch", "key", "row", "model", "state"})
_LONGEST_LINE = 16 * 1024 * 1024


def manifests_in(folder: Path, number: int = 1) -> tuple[Path, ...]:
    """The manifests that a run writes into this folder; with a higher number where others have the name."""
    paths = (folder / name for name in OF_A_RUN)
    if number == 1:
        return tuple(paths)
    return tuple(path.with_name(f"{path.stem}-{number}{path.suffix}") for path in paths)


def first_created_at(path: Path) -> datetime | None:
    """When the first job in a manifest was made: it tells whose manifest it is. Blocks.

    None where nothing tells: there is no such file, it is no manifest, or one of a batch without jobs.
    """
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open(encoding="utf-8", newline="") as opened:
            lines = iter(lambda: opened.readline(_LONGEST_LINE), "")
            if path.suffix == ".csv":
                record = next(csv.DictReader(lines), {})
            else:
                record = json.loads(next(lines, "{}"))
        return datetime.fromisoformat(record["created_at"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error):
        return None


def is_manifest(file: Path) -> bool:
    """Whether the first line is that of a manifest. An empty file is one, of a batch without jobs. Blocks.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
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


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.keys() >= _IN_A_RECORD
