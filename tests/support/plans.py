"""What the store asks of SQLite, recorded as it runs, and how SQLite would go about it.

A statement is recorded as SQLite is given it, with its parameters apart, for its plan may depend on which is
which. Whatever drives SQLite has to open it by `sqlite3.connect`.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

LARGE = ("job", "attempt", "artifact")
"""The tables that grow with the rows of all sheets."""
_SHARED = frozenset({"batch_id", "state", "current", "agreed"})
"""Columns that many jobs of a batch have in common: by these alone, the whole batch may be looked through."""
_IN_ORDER = frozenset({"turn", "position", "id", "rowid"})
"""Columns beyond a place in which a page begins."""
_ALIAS = re.compile(rf'\b({"|".join(LARGE)}) AS "?(\w+)')
_STEP = re.compile(r"(SCAN|SEARCH) (\w+)(.*?)(?: \((.*)\))?(?: LEFT-JOIN)?$")
_ONCE = ("LIST SUBQUERY", "SCALAR SUBQUERY", "MATERIALIZE", "CO-ROUTINE")
"""What depends on nothing around it."""
_TERM = re.compile(r"(\w+)([=<>]+)\?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and whether it ran once for each of many rows."""

    text: str
    parameters: Any
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How SQLite finds rows of a large table."""

    told: str
    """In SQLite's own words."""
    in_loop: bool
    """Whether it does so for each row of something else."""
    is_scan: bool
    """Whether no index helps: it looks through the table."""
    is_narrow: bool
    """Whether it comes to its rows at once, without looking through a batch."""


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Within, what is asked over connections that are opened from now on."""
    found: list[Statement] = []

    class Cursor(sqlite3.Cursor):
        def execute(self, text: str, parameters: Any = (), /) -> Any:
            found.append(Statement(text, parameters))
            return super().execute(text, parameters)

        def executemany(self, text: str, many: Iterable[Any], /) -> Any:
            rows = list(many)
            found.append(Statement(text, rows[0], is_many=True))
            return super().executemany(text, rows)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, text: str, parameters: Any = (), /) -> Any:
            return self.cursor().execute(text, parameters)

        def executemany(self, text: str, many: Iterable[Any], /) -> Any:
            return self.cursor().executemany(text, many)

    connect = partial(sqlite3.connect, factory=Connection)
    with mock.patch("sqlite3.connect", connect), mock.patch("sqlite3.dbapi2.connect", connect):
        yield found


def steps(path: Path, statement: Statement) -> list[Step]:
    """How SQLite would find rows of large tables for a statement, by the indexes of a database. What makes or
    drops a trigger finds none."""
    if statement.text.startswith(("CREATE ", "DROP ")):
        return []
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.parameters).fetchall()
    below: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, parent, _unused, told in plan:
        below[parent].append((number, told))
    names = {*LARGE, *(alias for _table, alias in _ALIAS.findall(statement.text))}
    return list(_steps(below, 0, names, statement.is_many, in_loop=statement.is_many))


def _steps(
    below: dict[int, list[tuple[int, str]]], parent: int, names: set[str], is_many: bool, *, in_loop: bool
) -> Iterator[Step]:
    """Those below a line of the plan: each is a loop within those before it, but for what is done once."""
    inner = in_loop
    for number, told in below[parent]:
        found = _STEP.match(told)
        if found is not None and found[2] in names:
            yield _step(told, *found.group(1, 3, 4), in_loop=inner)
            inner = True
        is_once = told.startswith(_ONCE)
        is_again = is_many if is_once else inner or "CORRELATED" in told
        yield from _steps(below, number, names, is_many, in_loop=is_again)


def _step(told: str, verb: str, using: str, condition: str | None, *, in_loop: bool) -> Step:
    terms = _TERM.findall(condition or "")
    is_scan = verb == "SCAN" or "AUTOMATIC" in using
    equal = {column for column, how in terms if how == "="} - _SHARED
    beyond = {column for column, how in terms if how != "="} & _IN_ORDER
    return Step(told, in_loop, is_scan, is_narrow=not is_scan and bool(equal | beyond))
