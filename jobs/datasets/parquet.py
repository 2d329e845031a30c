"""A data set as Parquet: a row an image, typed columns, zstd. Needs pyarrow, which is an extra."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as arrow
import pyarrow.parquet as parquet

from jobs.datasets.columns import ColumnKind, DataColumn
from jobs.manifests.ownership import PARQUET_MARK

GROUP_ROWS = 1000
GROUP_BYTES = 64 * 1024 * 1024
"""A row group holds at most so many bytes of images, and one more: all of them are in memory at once."""

IMAGE = "image"
"""The column of the image: its path, or its bytes with its name, as the Hugging Face Hub shows it."""

_TYPES = {
    ColumnKind.TEXT: arrow.string(),
    ColumnKind.NUMBER: arrow.int64(),
    ColumnKind.TEXTS: arrow.list_(arrow.string()),
    ColumnKind.MOMENT: arrow.timestamp("us", tz="UTC"),
}
_EMBEDDED = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
_FEATURES = b'{"info": {"features": {"image": {"_type": "Image"}}}}'


class ParquetRows:
    """A Parquet file that is written a row group at a time. Everything here blocks."""

    def __init__(
        self, path: Path, columns: tuple[DataColumn, ...], *, embed: bool = False, image: str = IMAGE
    ) -> None:
        self._path = path
        self._image = image
        fields = [arrow.field(image, _EMBEDDED if embed else arrow.string())]
        fields += [arrow.field(column.name, _TYPES[column.kind]) for column in columns]
        marks = {PARQUET_MARK: b"1"} | ({b"huggingface": _FEATURES} if embed else {})
        self._schema = arrow.schema(fields, marks)
        self._group: list[Mapping[str, Any]] = []
        self._held = 0

    def __enter__(self) -> Self:
        self._writer = parquet.ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, image: str | Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """One row."""
        self._group.append({self._image: image, **values})
        self._held += 0 if isinstance(image, str) else len(image["bytes"])
        if len(self._group) >= GROUP_ROWS or self._held >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._group:
            table = arrow.Table.from_pylist(self._group, self._schema)
            self._writer.write_table(table, row_group_size=GROUP_ROWS)
        self._group, self._held = [], 0
