"""What stands between the cells of a CSV sheet: found in its header, never in its prompts."""

from collections.abc import Iterable, Mapping

from jobs.sheets.rows.column_names import known_names, probable_name

DELIMITERS: Mapping[str, str] = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
"""What spreadsheets write, each in words. Where two would do, the first counts."""


def header_likeness(header: Iterable[str]) -> tuple[int, int]:
    """How much a first record looks like a header: by its known names, then by the near misses."""
    names = [name.strip() for name in header]
    known = known_names()
    return sum(name in known for name in names), sum(probable_name(name) is not None for name in names)
