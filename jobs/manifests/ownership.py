"""Which files are manifests of ours, and what else stands where a run writes its own."""

import json
from pathlib import Path

OF_A_RUN = ("manifest.jsonl", "manifest.csv")
"""What a run writes when it ends."""

_HEADER = b"batch,key,row,model,state"
_IN_A_RECORD = frozenset({"batch", "key", "row", "model", "state"})
_LONGEST_LINE = 16 * 1024 * 1024


def manifests_in(folder: Path) -> tuple[Path, ...]:
    """Where a run writes its manifests, whose folder this is."""
    return tuple(folder / name for name in OF_A_RUN)


def is_manifest(file: Path) -> bool:
    """Whether its first line is a manifest's. An empty file is one: of a batch without jobs. Blocks.

    Raises:
        OSError: it cannot be read, so that nobody knows.
    """
    with file.open("rb") as opened:
        first = opened.readline(_LONGEST_LINE)
    return not first or first.startswith(_HEADER) or _is_record(first)


def in_the_way(path: Path) -> str | None:
    """What stands where a run writes a manifest and is not seen to be one, as a sentence without end. Blocks.

    Nobody named that place for it, so a link there is not followed, as with pictures.
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
