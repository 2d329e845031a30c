"""The format of a sheet by its first bytes: of standard input, which has no name, and of any JSON."""

import json
import re
from contextlib import closing
from itertools import islice

from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.rows.column_names import FAMILY_PARTS
from jobs.sheets.source import SheetSource

_MAGIC = {b"PK\x03\x04": "xlsx", b"PAR1": "parquet"}
_MOST_LINES = 200
"""Lines that are searched for the first one that is neither blank nor a comment."""
_OBJECT = re.compile(r'\{\s*("|\}|$)')
_DOCUMENTS = frozenset(("defaults", "model_defaults", "image_sets", "jobs", *FAMILY_PARTS))
"""Parts that only a document has."""
_YAML = re.compile(r"---|%YAML|- |\{|[A-Za-z_]+\s*:(\s|$)")


def sniff(source: SheetSource) -> str:
    """The most probable format; CSV where nothing is recognised."""
    with source.path.open("rb") as file:
        magic = _MAGIC.get(file.read(4))
    return magic or _of_text(source)


def json_or_lines(source: SheetSource, named: str) -> str:
    """`json` or `jsonl`, by how the file begins; `named`, from its ending, where that decides nothing."""
    try:
        with closing(read_lines(source.path, source.encoding)) as lines:
            head = [line.strip() for line in islice(lines, _MOST_LINES)]
    except BadText:
        return named  # its reader reports the problem
    first, second = [*filter(None, head), "", ""][:2]
    if first.startswith("["):
        return "json"
    if not first.startswith("{"):
        return named
    if _is_whole(first):
        return "jsonl" if second or _is_a_row(first) else "json"
    return named if second.startswith("{") else "json"


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
    return isinstance(written, dict) and _DOCUMENTS.isdisjoint(written)


def _is_whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
