"""What PostgreSQL writes its own way.

Text is compared by its bytes, as in SQLite: a server has an order of its own, and names would be in that.
"""

import re
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn, CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler

from jobs.store.sql.expressions import (
    Caseless,
    IsSet,
    JsonEntries,
    JsonItems,
    JsonMember,
    LikeInAnyCase,
    OnlyDigits,
    StoredText,
    spell,
)

_ENTRIES = (
    'LATERAL (SELECT key COLLATE "C" AS key, value COLLATE "C" AS value, ordinality AS id'
    " FROM json_each_text(CAST({} AS JSON)) WITH ORDINALITY)"
)
_ITEMS = (
    'LATERAL (SELECT value COLLATE "C" AS value'
    " FROM json_array_elements_text(CAST({} AS JSON)) AS item (value))"
)

spell(
    "postgresql",
    {
        JsonMember: lambda column, name: f'(CAST({column} AS JSON) ->> {name}) COLLATE "C"',
        JsonEntries: lambda column: _ENTRIES.format(column),
        JsonItems: lambda column: _ITEMS.format(column),
        StoredText: lambda column: f'CAST({column} AS TEXT) COLLATE "C"',
        LikeInAnyCase: lambda text, pattern: f"{text} ILIKE {pattern} ESCAPE '\\'",
        Caseless: lambda text: f"lower({text})",
        OnlyDigits: lambda text: f"{text} !~ '[^0-9]'",
        IsSet: lambda flag: flag,
    },
)


@compiles(CreateColumn, "postgresql")
def _column(element: CreateColumn, compiler: DDLCompiler, **kw: Any) -> str:
    made: str = compiler.visit_create_column(element, **kw)  # type: ignore[no-untyped-call]
    return re.sub(r"VARCHAR(\(\d+\))?", r'\g<0> COLLATE "C"', made, count=1)


@compiles(CreateIndex, "postgresql")
def _index(element: CreateIndex, compiler: DDLCompiler, **kw: Any) -> str:
    index = element.element
    index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    made: str = compiler.visit_create_index(element, **kw)  # type: ignore[no-untyped-call]
    return made
