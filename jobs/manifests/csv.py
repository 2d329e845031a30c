"""CSV: one row a job, flat columns, without formulas for a spreadsheet to run."""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from jobs.manifests.columns import ColumnNames

_BEFORE = ("batch", "key", "row", "model", "state")
_MIDDLE = (
    *("request_id", "attempts", "cost_usd", "images"),
    *("error.kind", "error.code", "error.message", "warnings"),
)
_AFTER = ("created_at", "submitted_at", "finished_at")


class CsvTable:
    """Turns records into rows under a header. Names that are not in the header are left out."""

    def __init__(self, names: ColumnNames) -> None:
        inputs = [f"inputs.{name}" for name in names.inputs]
        own = [f"columns.{name}" for name in names.columns]
        linked = ["same_as"] if names.linked else []
        self._header = [*_BEFORE, *inputs, *_MIDDLE, *own, *_AFTER, *linked]
        self.head = _written([escape_formula(name) for name in self._header])

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        flat = _flat(record)
        return _written([escape_formula(flat.get(name)) for name in self._header])


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    error = record["error"] or {}
    return {
        **{name: record[name] for name in (*_BEFORE, "request_id", "attempts", "cost_usd", *_AFTER)},
        **{f"inputs.{name}": value for name, value in record["inputs"].items()},
        "images": [image["path"] for image in record["images"] if not image.get("missing")],
        **{f"error.{name}": error.get(name) for name in ("kind", "code", "message")},
        "warnings": " | ".join(record["warnings"]),
        **{f"columns.{name}": value for name, value in record["columns"].items()},
        "same_as": record.get("same_as"),
    }


def escape_formula(value: Any) -> str | int | float:
    """A value as a cell that no spreadsheet takes for a formula: text that begins like one is prefixed by '.

    Numbers stay numbers, a negative seed too; a list of texts is joined by |.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _text(value)
    return f"'{text}" if _is_formula(text) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False)


def _is_formula(text: str) -> bool:
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    # Spaces and invisible characters before it do not stop every spreadsheet.
    first = next((letter for letter in text if not _is_invisible(letter)), "")
    # NFKC makes the full-width, small and raised forms plain; the minus sign proper has no plain form.
    return unicodedata.normalize("NFKC", first)[:1] in {"=", "+", "-", "@", "\N{MINUS SIGN}"}


def _is_invisible(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in {"Cc", "Cf"}


def _written(cells: list[str | int | float]) -> bytes:
    # CRLF as RFC 4180 says; with a bare LF, Python 3.11 leaves a CR inside a cell without quotes.
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode("utf-8", "backslashreplace")
