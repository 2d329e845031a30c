"""The history ends where the tables are: a database that was upgraded is like one made today."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

import jobs.store.schema  # noqa: F401 - fills the metadata
import migrations
from jobs.store.sqlite import migrate


def schema(path: Path) -> dict[str, str]:
    """Every table and index by name, in words that do not depend on line breaks."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: _told(sql) for name, sql in found if name != "alembic_version"}


def _told(sql: str) -> str:
    """A statement on one line, the parts of a table in any order: a column that is added stands last.

    One that is added says itself which table it is a key of.
    """
    line = re.sub(r"\s*([(),])\s*", r"\1", " ".join(sql.split()))
    if not line.startswith("CREATE TABLE"):
        return line
    begin, inside = line[:-1].split("(", 1)
    parts = re.split(r",(?![^(]*\))", inside)
    parts = [
        re.sub(r"^(\w+) (\w+) REFERENCES (.*)$", r"\1 \2,FOREIGN KEY(\1)REFERENCES \3", one) for one in parts
    ]
    parts = [half for one in parts for half in re.split(r",(?=FOREIGN)", one)]
    return f"{begin}({','.join(sorted(parts))})"


def test_the_history_leads_to_the_tables_as_they_are(tmp_path: Path) -> None:
    """Column by column, CHECK by CHECK: what the code relies on is what the file enforces."""
    upgraded, made = tmp_path / "upgraded.db", tmp_path / "made.db"
    migrate.prepare(upgraded)
    engine = sa.create_engine(f"sqlite:///{made}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    assert schema(upgraded) == schema(made)
    assert set(schema(made)) >= {"batch", "job", "attempt", "artifact", "run", "job_folder", "job_by_state"}


def test_every_table_of_a_new_database_is_ours(tmp_path: Path) -> None:
    """And Alembic's one."""
    path = tmp_path / "night.db"
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in found}
    assert tables == {*SQLModel.metadata.tables, "alembic_version"}


def test_the_history_is_one_line_to_the_head() -> None:
    """Versions are compared as text: each is the next number, with as many digits."""
    folder = Path(migrations.__file__).parent
    script = ScriptDirectory(str(folder))
    assert script.get_heads() == [migrations.HEAD]
    versions = [version.revision for version in script.walk_revisions()][::-1]
    assert versions == [f"{number:04d}" for number in range(1, len(versions) + 1)]
    names = sorted(path.name for path in (folder / "versions").glob("v*.py"))
    assert [name[:6] for name in names] == [f"v{version}_" for version in versions]
