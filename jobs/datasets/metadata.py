"""What is known of the images in a folder, in the one file beside them that `datasets` looks for.

It reads `metadata.jsonl` a piece at a time, and expects of all of it the types that it guesses from the first
piece: a column that is empty there, or has dates, breaks the rest or changes it. So what is longer than a
piece is `metadata.parquet`, which has types of its own.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jobs.datasets.columns import DataColumn, as_json

if TYPE_CHECKING:
    from jobs.datasets.parquet import ParquetRows

METADATA, TYPED_METADATA = "metadata.jsonl", "metadata.parquet"
FILE_NAME = "file_name"
"""The column that names the image; it comes first."""
ONE_PIECE = 10 << 20
"""Bytes of a JSONL that `datasets` reads at once."""
_NAMES_A_FILE = ("_file_name", "_file_names")
"""How a column's name ends that `datasets` takes for names of further files."""


def columns_beside_files(columns: Iterable[DataColumn]) -> tuple[DataColumn, ...]:
    """The columns, none of which `datasets` takes for names of files: such a name ends in `_`."""
    taken = {column.name for column in columns}

    def safe(column: DataColumn) -> DataColumn:
        name = column.name
        if not name.endswith(_NAMES_A_FILE):
            return column
        while (name := f"{name}_") in taken:
            pass
        return replace(column, name=name)

    return tuple(safe(column) for column in columns)


class FolderMetadata:
    """The metadata of a folder on its way. Everything here blocks."""

    def __init__(self, folder: Path, columns: tuple[DataColumn, ...]) -> None:
        self._lines_place, self._rows_place = folder / METADATA, folder / TYPED_METADATA
        self._columns = columns
        self._bytes = 0
        self._rows: ParquetRows | None = None

    @property
    def types_are_guessed(self) -> bool:
        """Whether it is longer than a piece, and pyarrow is not there to give it types."""
        return self._bytes > ONE_PIECE and self._rows is None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._lines = stack.enter_context(self._lines_place.open("xb"))
            if (rows := _parquet_rows(self._rows_place, self._columns)) is not None:
                self._rows = stack.enter_context(rows)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
        if self._rows is not None:
            (self._rows_place if self._bytes <= ONE_PIECE else self._lines_place).unlink()

    def add(self, name: str, values: Mapping[str, Any]) -> None:
        """The row of one image."""
        line = as_json({FILE_NAME: name, **values}) + b"\n"
        self._lines.write(line)
        self._bytes += len(line)
        if self._rows is not None:
            self._rows.add(name, values)


def _parquet_rows(path: Path, columns: tuple[DataColumn, ...]) -> "ParquetRows | None":
    try:
        from jobs.datasets.parquet import ParquetRows
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyarrow":
            raise
        return None
    return ParquetRows(path, columns, image=FILE_NAME)
