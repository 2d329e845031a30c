"""The columns that Nightsheet adds to a copy of a sheet, and ignores when it reads the copy as a sheet."""

import re

PREFIX = "result."
BATCH = "result.batch"
COLUMNS = (BATCH, *(f"result.{name}" for name in ("state", "images", "seed", "cost_usd", "error", "verdict")))
"""Beside each row, in this order."""

_OURS = re.compile(r"result\.(?:batch|state|images|image\.[0-9]{1,3}|seed|cost_usd|error|verdict)")


def is_result_column(column: str) -> bool:
    """Whether the column is one of those."""
    return column.startswith(PREFIX) and _OURS.fullmatch(column) is not None
