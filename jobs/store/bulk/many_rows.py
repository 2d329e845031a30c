"""Changes of many rows, each with values of its own: what a large sheet does to a table.

A file takes such rows one by one and fast, so the statement is made once and run for each. A server is far
away: it gets them in one statement, new rows by COPY and changes as arrays.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, insert, update
from sqlalchemy.dialects.postgresql import ARRAY

from jobs.store.postgres.copying import copy_in
from jobs.store.sqlite.prepared import Prepared, given

_SERVER = "postgresql"
FOUND = "found"
"""The value by which an `UpdateEach` finds a row: its column may get another one."""


def look_over(connection: Connection, table: Table) -> None:
    """Have a server look at what a table has now: without that it takes a batch for a few rows, and reads all
    of them for each lot that is looked up. A file finds its way by its indexes alone."""
    if connection.dialect.name == _SERVER:
        connection.exec_driver_sql(f"ANALYZE {table.name}")


class InsertEach:
    """New rows: some columns are given for each, the others `always` have the same value."""

    def __init__(self, table: Table, names: Sequence[str], always: Mapping[str, Any]) -> None:
        self._table = table
        self._names = names
        self._always = always
        self._one = Prepared(insert(table).values({name: given(name) for name in names} | dict(always)))

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]], **same: Any) -> None:
        """Put rows into the table; values that are the `same` for all are given once."""
        if connection.dialect.name == _SERVER:
            whole = ({**self._always, **same, **row} for row in rows)
            copy_in(connection, self._table, [*self._names, *self._always], whole)
        else:
            self._one.change_each(connection, rows, **same)


class UpdateEach:
    """Changes of rows that are found by a column: some of their columns are given for each, others are
    `always` made in the same way. `where` has more conditions."""

    def __init__(
        self,
        key: ColumnElement[Any],
        names: Sequence[str],
        always: Mapping[str, Any] | None = None,
        *where: ColumnElement[bool],
    ) -> None:
        table = key.table
        self._types = {FOUND: key.type, **{name: table.c[name].type for name in names}}
        changed = update(table).where(*where)
        values = {name: given(name) for name in names} | dict(always or {})
        self._one = Prepared(changed.where(key == given(FOUND)).values(values))
        arrays = [
            bindparam(f"all_{name}", type_=ARRAY(kind, dimensions=1)) for name, kind in self._types.items()
        ]
        each = func.unnest(*arrays).table_valued(*self._types, name="each").render_derived()
        values = {name: each.c[name] for name in names} | dict(always or {})
        self._all = changed.where(key == each.c[FOUND]).values(values)

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change rows. Each says by `FOUND` which one it means, and no two mean the same."""
        if not rows:
            return
        if connection.dialect.name == _SERVER:
            arrays = {f"all_{name}": [row[name] for row in rows] for name in self._types}
            connection.execute(self._all, arrays)
        else:
            self._one.change_each(connection, rows)
