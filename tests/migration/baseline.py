"""What PostgreSQL begins with, made from the tables. `python -m tests.migration.baseline` writes it.

Until a release has it. From then on it stays as it is, like every version, and later ones follow it.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

import jobs.store.schema  # noqa: F401 - fills the metadata
import migrations
from jobs.store.postgres import keeping, last_commit, marking

FILE = Path(migrations.__file__).parent / "postgres_baseline.sql"


def statements() -> Iterator[str]:
    """Tables, indexes and triggers as they are now, and the row that names the database."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in SQLModel.metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            made = CreateIndex(index)
            if index._ddl_if is None or index._ddl_if.dialect == dialect.name:
                yield str(made.compile(dialect=dialect)).strip()
    yield from last_commit.tables()
    yield from keeping.triggers()
    yield from marking.triggers()
    yield "INSERT INTO identity (id, uid) VALUES (1, replace(gen_random_uuid()::text, '-', ''))"


def script() -> str:
    """All of it, and the version."""
    version = (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        f"INSERT INTO alembic_version VALUES ('{migrations.HEAD}')",
    )
    lines = "\n".join(line.rstrip() for one in (*statements(), *version) for line in f"{one};\n".splitlines())
    return (
        f"-- What PostgreSQL begins with: the tables as they are in version {migrations.HEAD}.\n\n{lines}\n"
    )


if __name__ == "__main__":
    FILE.write_text(script(), encoding="utf-8")
