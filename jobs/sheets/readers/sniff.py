"""The format of a sheet without a file name, which only standard input is: by its first bytes."""

import json
import re
from contextlib import closing
from itertools import islice

from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.source import SheetSource

_MAGIC = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet"}
_MOST_LINES = 200
"""Lines that are searched for the first one that is neither blank nor a comment."""
_OBJECT = re.compile(r'\{\s*("|\}|$)')
_YAML = re.compile(r"---|%YAML|- |\{|[A-Za-z_]+\s*:(\s|$)")


def sniff(source: SheetSource) -> str:
    """The most probable format; CSV where nothing is recognised."""
    with source.path.open("rb") as file:
        magic = _MAGIC.get(file.read(4))
    return magic or _of_text(source)


def _of_text(source: SheetSource) -> str:
    try:
        with closing(read_lines(source.path, source.encoding)) as lines:
            head = [line.strip() for line in islice(lines, _MOST_LINES)]
    except BadText:
        return "csv"  # its reader reports the problem
    first = next((line for line in head if line and not line.startswith("#")), "")
    if first.startswith("["):
        return "json"
    if _OBJECT.match(first):
        return "jsonl" if _is_a_row(first) else "json"
    return "yaml" if _YAML.match(first) else "csv"


def _is_a_row(line: str) -> bool:
    """Whether a line is a whole object that is one job, not a document with jobs in it."""
    try:
        written = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(written, dict) and "jobs" not in written
