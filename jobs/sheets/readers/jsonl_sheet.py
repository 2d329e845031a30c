"""JSONL: one object a line, one job an object. Numbers keep the digits they are written with."""

import json
from collections.abc import Iterator, Set
from contextlib import closing
from typing import Any, NoReturn

from jobs.problems import Problem, at, excerpt
from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.opened import TableSheet
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.column_names import known_names
from jobs.sheets.source import SheetSource
from jobs.sheets.text_rules import LIST, OBJECT, why_not_name, why_not_text


def open_jsonl(source: SheetSource) -> TableSheet:
    """Read the lines once for their names, so that a row can refer to a column that it leaves empty."""
    columns: dict[str, None] = {}
    objects: set[str] = set()
    for _, line, _ in _objects(source):
        if isinstance(line, dict):
            for name, value in line.items():
                columns[name] = None
                if type(value) is dict or (type(value) is list and any(map(_is_no_text, value))):
                    objects.add(name)
    own = objects.difference(known_names())
    return TableSheet(source.name, rows=lambda: _rows(source, own), columns=tuple(columns), own=own)


def _is_no_text(value: Any) -> bool:
    return value is None or isinstance(value, list | dict)


class _InvalidLine(Exception):
    """A line, or a value in it, that Python reads as JSON and a sheet cannot hold."""


def _rows(source: SheetSource, own: Set[str]) -> Iterator[Row | Problem]:
    for number, line, text in _objects(source):
        if isinstance(line, Problem):
            yield line
            continue
        cells: dict[str, Cell] = {}
        unread: set[str] = set()
        for name, value in line.items():
            try:
                cell = _cell(value) if name not in own else _own(text, name, value)
            except _InvalidLine as refused:
                yield at(source.name, number, column=name).problem(str(refused))
                unread.add(name)
                continue
            if cell:
                cells[name] = cell
        yield Row(number, cells, refused=unread)


def _own(text: str, name: str, value: Any) -> Cell | None:
    """A cell that nobody sends: an object or a list of some as JSON, from the line as it is written."""
    if not isinstance(value, list | dict):
        return _cell(value)
    return json.dumps(json.loads(text)[name], ensure_ascii=False)


def _objects(source: SheetSource) -> Iterator[tuple[int, dict[str, Any] | Problem, str]]:
    """Each line that is not blank: its number, its object or its problem, its text."""
    number = 0
    try:
        with closing(read_lines(source.path, source.encoding)) as lines:
            for number, line in enumerate(lines, 1):
                if not line.isspace():
                    yield number, _object(source.name, number, line), line
    except BadText as bad:
        yield number, at(source.name, bad.line).problem(bad.message, bad.hint), ""


def _object(file: str, number: int, line: str) -> dict[str, Any] | Problem:
    try:
        written = _DECODER.decode(line.rstrip())
        if isinstance(written, dict):
            return written
        sentence = "Each line is one object: { ... }."
    except json.JSONDecodeError as error:
        sentence = f"This line is not JSON: {error.msg}, at character {error.colno}."
    except _InvalidLine as refused:
        sentence = str(refused)
    except RecursionError:
        sentence = "This line is nested too deeply."
    return at(file, number, value=line.strip()).problem(sentence)


def _cell(value: Any) -> Cell | None:
    """The value as text, as a list of texts, or None where it is empty."""
    if isinstance(value, list):
        return tuple(map(_item, value))
    return None if value is None else _text(value)


def _item(value: Any) -> str:
    if value is None or isinstance(value, list | dict):
        raise _InvalidLine(LIST)
    text = _text(value)
    if text is None:
        raise _InvalidLine(LIST)
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise _InvalidLine(OBJECT)
    sentence = why_not_text(value)
    if sentence:
        raise _InvalidLine(sentence)
    return None if is_blank(value) else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _InvalidLine(f"The name {excerpt(twice)} appears twice here.")
    for name in made:
        if sentence := why_not_name(name):
            raise _InvalidLine(sentence)
    return made


def _no_constant(name: str) -> NoReturn:
    raise _InvalidLine(f"{name} is not JSON.")


# Numbers stay text: the column decides their type, and no number is too long or loses a digit.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=_no_constant
)
