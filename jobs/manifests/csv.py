"""CSV: one row a job, flat columns, without formulas for a spreadsheet to run."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.manifests.columns import ColumnNames
from jobs.manifests.record import stored_record

if TYPE_CHECKING:
    from jobs.store.bulk.records import Page
    from jobs.views import ArtifactView

_BEFORE = ("batch", "key", "row", "model", "state")
_MIDDLE = (
    *("request_id", "attempts", "cost_usd", "images"),
    *("error.kind", "error.code", "error.message", "warnings"),
)
_AFTER = ("created_at", "submitted_at", "finished_at")


class CsvTable:
    """Turns records into rows under a header. Names that are not in the header are left out."""

    def __init__(self, names: ColumnNames) -> None:
        self._inputs, self._columns = names.inputs, names.columns
        self._last = ("same_as",) if names.linked else ()
        inputs = [f"inputs.{name}" for name in names.inputs]
        own = [f"columns.{name}" for name in names.columns]
        self._line = io.StringIO(newline="")
        # CRLF as RFC 4180 says; with a bare LF, Python 3.11 leaves a CR inside a cell without quotes.
        self._writer = csv.writer(self._line, lineterminator="\r\n")
        self.head = self._written([*_BEFORE, *inputs, *_MIDDLE, *own, *_AFTER, *self._last])

    def page(
        self,
        batch: str,
        page: "Page",
        folder: Path,
        place_of: Callable[["ArtifactView"], Path | None],
    ) -> bytes:
        """Records of jobs as the table keeps them."""
        return self._written(*[self._cells(stored_record(batch, *one, folder, place_of)) for one in page])

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        return self._written(self._cells(record))

    def _cells(self, record: Mapping[str, Any]) -> list[Any]:
        error, inputs, columns = record["error"] or {}, record["inputs"], record["columns"]
        return [
            *[record[name] for name in _BEFORE],
            *[inputs.get(name) for name in self._inputs],
            *(record["request_id"], record["attempts"], record["cost_usd"]),
            [image["path"] for image in record["images"] if not image.get("missing")],
            *(error.get("kind"), error.get("code"), error.get("message")),
            " | ".join(record["warnings"]),
            *[columns.get(name) for name in self._columns],
            *[record[name] for name in _AFTER],
            *[record.get(name) for name in self._last],
        ]

    def _written(self, *rows: Sequence[Any]) -> bytes:
        self._line.seek(0)
        self._line.truncate()
        self._writer.writerows(
            [[None if cell is None else escape_formula(cell) for cell in cells] for cells in rows]
        )
        return self._line.getvalue().encode("utf-8", "backslashreplace")


def escape_formula(value: Any) -> str | int | float:
    """A value as a cell that no spreadsheet takes for a formula: text that begins like one is prefixed by '.

    Numbers stay numbers, a negative seed too; a list of texts is joined by |.
    """
    if type(value) is str and value[:1].isalnum() and value[0].isascii():
        return value  # most texts
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _text(value)
    return f"'{text}" if _is_formula(text) else text


def without_escape(text: str) -> str:
    """A text as it was before `escape_formula`. One that begins with ' on its own account stays as it is."""
    return text[1:] if text[:1] == "'" and _is_formula(text[1:]) else text


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
