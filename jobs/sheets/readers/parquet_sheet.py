"""Parquet: one job a row, counted from 1. Read a row group at a time. Needs pyarrow, which is an extra."""

import json
import math
from collections.abc import Generator, Iterator, Sequence, Set
from contextlib import closing, contextmanager
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet

from jobs.problems import Problem, at, excerpt
from jobs.sheets.opened import TableSheet, unreadable
from jobs.sheets.readers.number_format import format_value, plain_number
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.column_names import is_heading, known_names
from jobs.sheets.source import SheetSource
from jobs.sheets.text_rules import LIST, OBJECT, why_not_name, why_not_text

LARGEST_GROUP = 1_000_000_000
"""Unpacked bytes of a row group: a few kilobytes may declare any number of them."""
_AT_ONCE = 1000
"""Rows that are held in memory."""

_REWRITE = "Write the file again, or save the sheet as CSV."


def open_parquet(source: SheetSource) -> TableSheet:
    """Read the file's metadata."""
    try:
        with _file(source) as file:
            schema = file.schema_arrow
            names = list(schema.names)
            groups = (file.metadata.row_group(index) for index in range(file.metadata.num_row_groups))
            largest = max((_unpacked(group) for group in groups), default=0)
    except _UNREADABLE as error:
        return unreadable(_broken(source, error))
    if largest > LARGEST_GROUP:
        message = f"A row group unpacks to more than {LARGEST_GROUP // 1_000_000:,} MB."
        return unreadable(at(source.name).problem(message, "Write the file with smaller row groups."))
    if wrong := list(_bad_names(source.name, names)):
        return unreadable(wrong[0])
    own = {field.name for field in schema if _holds_objects(field.type)} - set(known_names())
    left_out = [field.name for field in schema if field.name in own and _holds_bytes(field.type)]
    read = [name for name in names if name not in left_out]
    return TableSheet(
        source.name,
        rows=lambda: _rows(source, read, own),
        columns=tuple(read),
        own=own.intersection(read),
        warnings=tuple(at(source.name, column=name).problem(_BYTES) for name in left_out),
    )


_BYTES = "This column holds bytes: it is left out, of the manifest too."


def _holds_objects(kind: Any) -> bool:
    """Whether a column's values are no texts, numbers or times, and no lists of them."""
    if _is_list(kind):
        return _is_list(kind.value_type) or _holds_objects(kind.value_type)
    return arrow.types.is_nested(kind) or _is_bytes(kind)


def _holds_bytes(kind: Any) -> bool:
    inner = (
        [kind.field(index).type for index in range(kind.num_fields)] if arrow.types.is_nested(kind) else []
    )
    return _is_bytes(kind) or any(map(_holds_bytes, inner))


def _is_list(kind: Any) -> bool:
    types = arrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_bytes(kind: Any) -> bool:
    types = arrow.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _unpacked(group: Any) -> int:
    return sum(group.column(index).total_uncompressed_size for index in range(group.num_columns))


def _bad_names(file: str, names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        if sentence := why_not_name(name):
            yield at(file, column=name).problem(sentence, "Name the column.")
        if names.count(name) > 1:
            yield at(file, column=name).problem("Two columns have this name.", "Rename one of them.")
    if not any(map(is_heading, names)):
        yield at(file, value=names).problem("No column is known.", "Name them id, prompt, model.")


# What Arrow raises for a damaged file; ArrowInvalid is a ValueError, a cut file an OSError.
_UNREADABLE = (arrow.ArrowException, OSError, ValueError, TypeError, OverflowError)


@contextmanager
def _file(source: SheetSource) -> Generator[Any, None, None]:
    with closing(parquet.ParquetFile(source.path, memory_map=False, pre_buffer=False)) as file:
        yield file


def _broken(source: SheetSource, error: Exception) -> Problem:
    first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return at(source.name).problem(f"This cannot be read as Parquet: {excerpt(first)}.", _REWRITE)


def _rows(source: SheetSource, names: Sequence[str], own: Set[str]) -> Iterator[Row | Problem]:
    number = 0
    try:
        with _file(source) as file:
            for batch in file.iter_batches(batch_size=_AT_ONCE, columns=list(names), use_threads=False):
                for values in zip(*map(_values, batch.columns), strict=True):
                    number += 1
                    yield from _row(source.name, number, names, values, own)
    except _UNREADABLE as error:
        yield _broken(source, error)


def _values(column: Any) -> list[Any]:
    """A column's values; times to the microsecond, the resolution of Python's own."""
    kind = column.type
    if arrow.types.is_timestamp(kind):
        column = column.cast(arrow.timestamp("us", kind.tz), safe=False)
    elif arrow.types.is_time64(kind):
        column = column.cast(arrow.time64("us"), safe=False)
    elif arrow.types.is_duration(kind):
        column = column.cast(arrow.duration("us"), safe=False)
    values: list[Any] = column.to_pylist()
    return values


class _InvalidValue(Exception):
    """A value that is no cell."""


def _row(
    file: str, number: int, names: Sequence[str], values: Sequence[Any], own: Set[str]
) -> Iterator[Row | Problem]:
    cells: dict[str, Cell] = {}
    unread: set[str] = set()
    for name, value in zip(names, values, strict=True):
        try:
            cell = _cell(value) if name not in own else _as_json(value)
        except _InvalidValue as refusal:
            yield at(file, number, column=name).problem(str(refusal))
            unread.add(name)
            continue
        if cell:
            cells[name] = cell
    if cells or unread:
        yield Row(number, cells, refused=unread)


def _as_json(value: Any) -> Cell:
    """A value that nobody sends, as JSON."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _cell(value: Any) -> Cell:
    """A text or a list of texts; empty for an absent value."""
    if not isinstance(value, list):
        return _text(value)
    texts = tuple(_text(item) if not isinstance(item, list | dict) else "" for item in value)
    if not all(texts):
        raise _InvalidValue(LIST)
    return texts


def _text(value: Any) -> str:
    if isinstance(value, str):
        if sentence := why_not_text(value):
            raise _InvalidValue(sentence)
        return "" if is_blank(value) else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""  # data frames write an empty cell in a column of numbers as "not a number"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return plain_number(value)
    if isinstance(value, date | time | timedelta):
        return format_value(value, "")
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise _InvalidValue(OBJECT)
