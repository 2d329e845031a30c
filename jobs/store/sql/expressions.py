"""Expressions that SQLite and PostgreSQL spell their own way: what each means.

How a database writes them is in its `dialect.py`, and nowhere else. All else is SQLAlchemy's Core, which
both understand: a statement is made once, and compiled for the database that it goes to.

A condition has no type here: SQLAlchemy would compare one of type Boolean with 1, where a database has none.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Index, String, TableValuedAlias, literal_column, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class JsonMember(FunctionElement[str]):
    """The text of a member of a JSON object; null where it has none. The name is the second argument."""

    type = String()
    inherit_cache = True


class JsonEntries(FunctionElement[Any]):
    """The members of a JSON object as rows: key, value, and `id`, which grows in their order."""

    inherit_cache = True


class JsonItems(FunctionElement[Any]):
    """The texts of a JSON array as rows: value."""

    inherit_cache = True


class StoredText(FunctionElement[str]):
    """A column's text as it is stored: of JSON, what was written, and no object made of it."""

    type = String()
    inherit_cache = True


class LikeInAnyCase(FunctionElement[bool]):
    """Whether a text is like a pattern, where the case of ASCII letters at least is ignored. `\\` escapes."""

    inherit_cache = True


class Caseless(FunctionElement[str]):
    """An ASCII text, compared without regard to case with one in lower case."""

    type = String()
    inherit_cache = True


class OnlyDigits(FunctionElement[bool]):
    """Whether a text has no character but 0 to 9. Only in CHECKs."""

    inherit_cache = True


class IsSet(FunctionElement[bool]):
    """Whether a flag is set, in the words by which a partial index is found again. Only in indexes."""

    inherit_cache = True


EXPRESSIONS = (JsonMember, JsonEntries, JsonItems, StoredText, LikeInAnyCase, Caseless, OnlyDigits, IsSet)
Spelling = Mapping[type[FunctionElement[Any]], Callable[..., str]]
"""How a database writes each expression, from its arguments."""


def json_member(column: ColumnElement[Any], name: str) -> ColumnElement[str]:
    """The text of a member of a column's JSON object. A name of our own: it becomes part of the SQL."""
    assert name.replace("_", "").isalnum(), name
    return JsonMember(column, literal_column(f"'{name}'"))


def json_entries(column: ColumnElement[Any], name: str) -> TableValuedAlias:
    """The members of a column's JSON object as a table of that name."""
    return JsonEntries(column).table_valued("key", "value", "id", name=name)


def json_items(column: ColumnElement[Any], name: str) -> TableValuedAlias:
    """The texts of a column's JSON array as a table of that name."""
    return JsonItems(column).table_valued("value", name=name)


def partial_index(name: str, *columns: str, where: str | ColumnElement[bool]) -> Index:
    """An index of some rows: a database that is not told which would have all, and say nothing.

    PostgreSQL is told where its `dialect.py` writes the index: to name it here would import all that
    SQLAlchemy knows of it, at each start of a command.
    """
    return Index(name, *columns, sqlite_where=text(where) if isinstance(where, str) else where)


def spell(dialect: str, spelling: Spelling) -> None:
    """Teach SQLAlchemy how a database writes the expressions."""
    assert set(spelling) == set(EXPRESSIONS), dialect
    for expression, written in spelling.items():
        compiles(expression, dialect)(_compiling(written))


def _compiling(written: Callable[..., str]) -> Callable[..., str]:
    def compiled(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
        return written(*(compiler.process(argument, **kw) for argument in element.clauses))

    return compiled
