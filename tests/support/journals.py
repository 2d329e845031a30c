"""Reads journals as a stranger would who has the ten lines that document their format."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

_LINE = re.compile(rb"[0-9a-f]{8} (?P<uid>[0-9a-f]{32}) [0-9a-f-]{64} (?P<told>\{[^\t]*\})(?P<end>\t.*)?")


def journals(folder: Path) -> list[Path]:
    """All journals below a folder, copies too, oldest first."""
    return sorted((path for path in folder.rglob("*.journal") if path.is_file()), key=lambda path: path.name)


def told(path: Path) -> list[dict[str, Any]]:
    """What a journal says, a submit each; `request_id` and `answered` only where there is an end."""
    submits: dict[str, dict[str, Any]] = {}
    for line in path.read_bytes()[1024:].rstrip(b"\0").split(b"\n"):
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        submit = submits.setdefault(found["uid"].decode(), {"uid": found["uid"].decode()})
        end = (found["end"] or b"").strip()
        for part in (found["told"], end[9:]):
            with suppress(ValueError):  # blank, or torn by a disk that failed
                submit.update(json.loads(part))
    return list(submits.values())


def receipts(folder: Path) -> set[str]:
    """The request_ids of accepted submits in the journals below a folder."""
    return {
        submit["request_id"]
        for path in journals(folder)
        for submit in told(path)
        if submit.get("answered") == "accepted"
    }
