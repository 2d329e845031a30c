"""Statements of the hot path: built and compiled once, and run on the driver's own connection.

SQLAlchemy spends ten times what SQLite does on a statement of one row, and a job has a dozen of them. Here
the statement is still SQLAlchemy's, over the tables of the schema and with their types; only the way to the
driver is short. It runs in the transaction that the connection has begun. On another database's connection
the same statement goes SQLAlchemy's way.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Connection, Delete, Insert, Select, Update, bindparam
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = pysqlite.dialect()
_GIVEN = "given_"

Processor = Callable[[Any], Any]


def given(name: str) -> BindParameter[Any]:
    """A value that is given at each run, by this name."""
    return bindparam(f"{_GIVEN}{name}", None)


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
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.executemany(self._compiled.sql, self._compiled.bound_each(rows, same))

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
        row = self._run(connection, values).fetchone()
        return None if row is None else self._maker(connection)(row)

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
        driver = connection.connection.driver_connection
        assert driver is not None
        return driver.execute(self._compiled.sql, [_bound(bind, values) for bind in self._compiled.binds])


Bind = tuple[str | None, Processor | None, Any]
"""Of a parameter: its name if it is given, what makes it fit for the driver, its value if it is fixed."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    binds: list[Bind]
    row: Callable[..., Any]
    columns: list[tuple[int, Processor]]
    """What makes a column's value out of the driver's, where that is another one."""

    def bound_each(
        self, rows: Iterable[Mapping[str, Any]], same: Mapping[str, Any]
    ) -> Iterator[Sequence[Any]]:
        """The parameters of each row of values."""
        is_given = [name is not None and name not in same for name, _, _ in self.binds]
        first = [
            None if given else _bound(bind, same) for bind, given in zip(self.binds, is_given, strict=True)
        ]
        each = [
            (place, name, processor)
            for place, ((name, processor, _), given) in enumerate(zip(self.binds, is_given, strict=True))
            if given
        ]
        for row in rows:
            values = first.copy()
            for place, name, processor in each:
                value = row[name]  # type: ignore[index]
                values[place] = value if processor is None else processor(value)
            yield values

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
    columns = list(statement.selected_columns) if isinstance(statement, Select) else []
    return _Compiled(
        compiled.string,
        [_bind_of(compiled, name) for name in compiled.positiontup or ()],
        row or namedtuple("_Row", [str(column.key) for column in columns]),
        [(index, out) for index, column in enumerate(columns) if (out := _processor_of(column)) is not None],
    )


def _processor_of(column: Any) -> Processor | None:
    processor: Processor | None = column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return processor


def _bind_of(compiled: SQLCompiler, name: str) -> Bind:
    value = compiled.params[name]
    if name not in compiled.binds:  # of a list: words and numbers, which need nothing
        return None, None, value
    processor = compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    if name.startswith(_GIVEN):
        return name.removeprefix(_GIVEN), processor, None
    return None, None, value if processor is None else processor(value)


def _bound(bind: Bind, values: Mapping[str, Any]) -> Any:
    name, processor, fixed = bind
    if name is None:
        return fixed
    value = values[name]
    return value if processor is None else processor(value)


def change(connection: Connection, base: Update, columns: Mapping[str, Any], **values: Any) -> int:
    """Run `base`, which is made once, setting these columns as well; the number of rows that it changed.

    A value that is an expression is made once, too: statements are kept by the columns and expressions.
    """
    expressions = tuple(pair for pair in columns.items() if isinstance(pair[1], ClauseElement))
    new = {name: value for name, value in columns.items() if not isinstance(value, ClauseElement)}
    statement = _setting(base, tuple(new), expressions)
    return statement.change(connection, **values, **{f"new_{name}": value for name, value in new.items()})


@lru_cache(maxsize=256)
def _setting(base: Update, names: tuple[str, ...], expressions: tuple[tuple[str, Any], ...]) -> Prepared:
    return Prepared(base.values({name: given(f"new_{name}") for name in names} | dict(expressions)))
