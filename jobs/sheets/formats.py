"""Which file is read by what. A new format is one file with `open_...(path) -> Opened` and one line here."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from jobs.sheets.rows import Opened

# Named, not imported: a CSV sheet does not load the YAML parser.
_FORMATS: Mapping[str, tuple[str, str]] = {
    ".csv": ("jobs.sheets.csv_sheet", "open_csv"),
    ".yaml": ("jobs.sheets.yaml_sheet", "open_yaml"),
    ".yml": ("jobs.sheets.yaml_sheet", "open_yaml"),
    ".jsonl": ("jobs.sheets.jsonl_sheet", "open_jsonl"),
}

SUFFIXES = tuple(_FORMATS)
"""The endings that can be read, capitals aside."""


def reader_for(path: Path) -> Callable[[Path], Opened] | None:
    """What reads a file of this ending, or None."""
    named = _FORMATS.get(path.suffix.lower())
    if named is None:
        return None
    reader: Callable[[Path], Opened] = getattr(import_module(named[0]), named[1])
    return reader
