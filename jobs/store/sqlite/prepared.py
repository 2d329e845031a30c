"""Statements of the hot path: built and compiled once, and run on the driver's own connection.

SQLAlchemy spends ten times what SQLite does on a statement of one row, and a job has a dozen of them. Here
the statement is still SQLAlchemy's, over the tables of the schema and with their types; only the way to the
driver is short. It runs in the transaction that the connection has begun. On another database's connection
the same statement goes SQLAlchemy's way.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Update,
    bindparam,
    select,
)
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

from jobs.store.sqlite.thread import driver_of

_DIALECT = pysqlite.dialect()
_GIVEN = "given_"
_TELLS = sqlite3.sqlite_version_info >= (3, 35)
"""Whether SQLite knows RETURNING: Python 3.11 comes with an older one here and there."""

Processor = Callable[[Any], Any]


def given(name: str) -> BindParameter[Any]:
    """A value that is given at each run, by this name."""
    return bindparam(f"{_GIVEN}{name}", None)


class Told:
    """Columns of the row that a change is about, which the change itself tells: nothing is read again.

    `key` finds that row, by the change's own values.
    """

    def __init__(self, key: ColumnElement[bool], *columns: ColumnElement[Any]) -> None:
        self.columns = columns
        self.afterwards = Prepared(select(*columns).where(key))
        """For a SQLite that cannot tell."""


class Prepared:
    """A statement that takes its `given` values at each run; all others are fixed, lists among them.

    A query's rows are tuples with a field a column; or of the type `row`, whose fields are its columns.
    """

    def __init__(
        self, statement: Select[Any] | Insert | Update | Delete, row: Callable[..., Any] | None = None
    ) -> None:
        self._statement = statement
        self._row = row

    def change(self, connection: Connection, **values: Any) -> int:
        """Run a change; the number of rows that it changed."""
        return int(self._run(connection, values).rowcount)

    def change_each(self, connection: Connection, rows: Iterable[Mapping[str, Any]], **same: Any) -> None:
        """Run a change once for each row of values; those that are the `same` for all are given once."""
        if connection.dialect.name != _DIALECT.name:
            connection.execute(self._statement, [_named({**same, **row}) for row in rows])
            return
        driver_of(connection).executemany(self._compiled.sql, self._compiled.bound_each(rows, same))

    def rows(self, connection: Connection, **values: Any) -> Iterator[Any]:
        """Run a query; its rows, with a field a column."""
        yield from map(self._maker(connection), self._run(connection, values).fetchall())

    def raw(self, connection: Connection, at_once: int, **values: Any) -> Iterator[Sequence[Sequence[Any]]]:
        """Run a query of many rows; so many at once, each as the driver has it: without a name or a type."""
        came = self._run(connection, values)
        while rows := came.fetchmany(at_once):
            yield rows

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """Run a query of one row at the most; it, or None."""
        found = self._run(connection, values).fetchall()  # to its end: a change that tells is over only then
        return self._maker(connection)(found[0]) if found else None

    @cached_property
    def _compiled(self) -> "_Compiled":  # when it is run, not when the module is imported
        return _compile(self._statement, self._row)

    def _maker(self, connection: Connection) -> Callable[[Any], Any]:
        """What makes a row that is handed out of one that came."""
        if connection.dialect.name == _DIALECT.name:
            return self._compiled.made
        row = self._row
        return (lambda came: came) if row is None else (lambda came: row(*came))

    def _run(self, connection: Connection, values: dict[str, Any]) -> Any:
        if connection.dialect.name != _DIALECT.name:
            return connection.execute(self._statement, _named(values))
        compiled = self._compiled
        return driver_of(connection).execute(compiled.sql, compiled.bound(values))


Bind = tuple[str | None, Processor | None, Any]
"""Of a parameter: its name if it is given, what makes it fit for the driver, its value if it is fixed."""
Place = tuple[int, str, Processor | None]
"""Of a parameter that is given: its place among all, its name, and what makes it fit for the driver."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    fixed: list[Any]
    """The parameters, None in the places of those that are given."""
    given: list[Place]
    row: Callable[..., Any]
    columns: list[tuple[int, Processor]]
    """What makes a column's value out of the driver's, where that is another one."""

    def bound(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The parameters of a run."""
        parameters = self.fixed.copy()
        _put(parameters, self.given, values)
        return parameters

    def bound_each(
        self, rows: Iterable[Mapping[str, Any]], same: Mapping[str, Any]
    ) -> Iterator[Sequence[Any]]:
        """The parameters of each row of values."""
        first = self.fixed.copy()
        _put(first, [place for place in self.given if place[1] in same], same)
        each = [place for place in self.given if place[1] not in same]
        for row in rows:
            parameters = first.copy()
            _put(parameters, each, row)
            yield parameters

    def made(self, row: tuple[Any, ...]) -> Any:
        if not self.columns:
            return self.row(*row)
        values = list(row)
        for index, out in self.columns:
            values[index] = out(values[index])
        return self.row(*values)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{_GIVEN}{name}": value for name, value in values.items()}


def _compile(statement: Select[Any] | Insert | Update | Delete, row: Callable[..., Any] | None) -> _Compiled:
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    assert not compiled.insert_prefetch, "a default that Python makes"
    assert not compiled.update_prefetch, "a default that Python makes"
    columns = list(
        statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
    )
    values = compiled.params  # made anew each time it is asked for
    binds = [_bind_of(compiled, name, values[name]) for name in compiled.positiontup or ()]
    return _Compiled(
        compiled.string,
        [fixed for _name, _processor, fixed in binds],
        [(place, name, out) for place, (name, out, _) in enumerate(binds) if name is not None],
        row or namedtuple("_Row", [str(column.key) for column in columns]),
        [(index, out) for index, column in enumerate(columns) if (out := _processor_of(column)) is not None],
    )


def _processor_of(column: Any) -> Processor | None:
    processor: Processor | None = column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return processor


def _bind_of(compiled: SQLCompiler, name: str, value: Any) -> Bind:
    if name not in compiled.binds:  # of a list: words and numbers, which need nothing
        return None, None, value
    processor = compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    if name.startswith(_GIVEN):
        return name.removeprefix(_GIVEN), processor, None
    return None, None, value if processor is None else processor(value)


def _put(parameters: list[Any], places: Iterable[Place], values: Mapping[str, Any]) -> None:
    for place, name, processor in places:
        value = values[name]
        parameters[place] = value if processor is None else processor(value)


def change(connection: Connection, base: Update, columns: Mapping[str, Any], **values: Any) -> int:
    """Run `base`, which is made once, setting these columns as well; the number of rows that it changed.

    A value that is an expression is made once, too: statements are kept by the columns and expressions.
    """
    statement, new = _setting_of(base, columns, None)
    return statement.change(connection, **values, **new)


def change_told(
    connection: Connection, base: Update, columns: Mapping[str, Any], told: Told, **values: Any
) -> Any | None:
    """The same, of one row at the most: what is `told` of it as it then is, or None if none was changed."""
    if connection.dialect.name == _DIALECT.name and not _TELLS:
        changed = change(connection, base, columns, **values)
        return told.afterwards.first(connection, **values) if changed else None
    statement, new = _setting_of(base, columns, told)
    return statement.first(connection, **values, **new)


def _setting_of(
    base: Update, columns: Mapping[str, Any], told: Told | None
) -> tuple[Prepared, Mapping[str, Any]]:
    """The statement that sets these columns, and the values that it takes for them."""
    names, expressions, new = list[str](), list[tuple[str, Any]](), dict[str, Any]()
    for name, value in columns.items():
        if _is_expression(type(value)):  # type: ignore[arg-type]  # a type is hashable
            expressions.append((name, value))
        else:
            names.append(name)
            new[f"new_{name}"] = value
    return _setting(base, tuple(names), tuple(expressions), told), new


@cache
def _is_expression(kind: type) -> bool:
    """Whether a value of this type is made by the database. It is asked for each column of each move."""
    return issubclass(kind, ClauseElement)


@lru_cache(maxsize=256)
def _setting(
    base: Update, names: tuple[str, ...], expressions: tuple[tuple[str, Any], ...], told: Told | None
) -> Prepared:
    setting = base.values({name: given(f"new_{name}") for name in names} | dict(expressions))
    return Prepared(setting if told is None else setting.returning(*told.columns))
