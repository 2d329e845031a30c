"""PostgreSQL begins at a baseline: that, the tables, and a file that was upgraded are one schema."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

import migrations
from jobs.store.postgres import last_commit
from jobs.store.postgres.address import SCHEMA, address_of
from jobs.store.postgres.connection import connect
from jobs.store.sqlite import migrate as sqlite_migrate
from tests.migration.baseline import FILE, script, statements
from tests.support.postgres import Cluster, run

_CATALOGUE = (
    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default,"
    " collation_name FROM information_schema.columns WHERE table_schema = 'nightsheet' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'nightsheet'::regnamespace ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'nightsheet' ORDER BY 1",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'nightsheet'::regnamespace ORDER BY 1",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
)


def described(url: str) -> list[Any]:
    """The schema, as PostgreSQL has it."""
    return [
        [row for row in run(url, statement) if "alembic_version" not in str(row)] for statement in _CATALOGUE
    ]


@pytest.fixture
def upgraded(cluster: Cluster, tmp_path: Path) -> str:
    """A database that began at the baseline, and went through all versions since."""
    return cluster.place(tmp_path / "night.db")


@pytest.fixture
def inspected(upgraded: str) -> Iterator[sa.Inspector]:
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address_of(upgraded), writing=False),
        poolclass=NullPool,
    )
    yield sa.inspect(engine)
    engine.dispose()


def test_the_baseline_leads_to_the_tables_as_they_are(cluster: Cluster, upgraded: str) -> None:
    """Column by column, CHECK by CHECK, trigger by trigger."""
    cluster.made += 1
    made = cluster.new_database(f"made_{cluster.made}")
    run(made, f"CREATE SCHEMA {SCHEMA}")
    for statement in statements():
        run(made, statement)
    assert described(made) == described(upgraded)
    assert all(described(made))


def test_the_baseline_is_that_of_its_version() -> None:
    """Until a later version is there, it is what the tables make: no table is forgotten in it."""
    if migrations.BASELINE == migrations.HEAD:
        assert FILE.read_text(encoding="utf-8") == script(), (
            "write it again: python -m tests.migration.baseline"
        )


def test_a_server_numbers_runners_and_no_processes() -> None:
    """A server that begins before that version gets the table of the baseline."""
    version = import_module("migrations.versions.v0020_runners")
    told = [line.strip() for line in version._for_a_server(version.STATEMENTS[0]).splitlines()]
    assert "id SERIAL NOT NULL," in told
    assert "pid INTEGER NOT NULL," in told
    assert "since TIMESTAMP WITH TIME ZONE NOT NULL," in told


def test_both_databases_have_the_same_tables(inspected: sa.Inspector, tmp_path: Path) -> None:
    """Names, columns, what may be null, keys, rules and indexes: what holds for one holds for both."""
    path = tmp_path / "a file.db"
    sqlite_migrate.prepare(path)
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        file = sa.inspect(engine)
        assert set(inspected.get_table_names()) - {last_commit.TABLE} == set(file.get_table_names())
        for table in file.get_table_names():
            assert _told(inspected, table) == _told(file, table), table
    finally:
        engine.dispose()


def _told(inspector: sa.Inspector, table: str) -> dict[str, Any]:
    counts = (
        table.endswith("tally") or table == "changedblock"
    )  # added to, and never changed, on a server: no key, an index instead
    return {
        "columns": {
            one["name"]: (_kind(one["type"]), one["nullable"]) for one in inspector.get_columns(table)
        },
        "key": None if counts else inspector.get_pk_constraint(table)["constrained_columns"],
        "refers": sorted(
            (one["constrained_columns"], one["referred_table"]) for one in inspector.get_foreign_keys(table)
        ),
        "unique": sorted(sorted(one["column_names"]) for one in inspector.get_unique_constraints(table)),
        "rules": sorted(str(one["name"]) for one in inspector.get_check_constraints(table)),
        "indexes": None if counts else _indexes(inspector, table),
    }


def _indexes(inspector: sa.Inspector, table: str) -> list[tuple[str, bool]]:
    unique = {one["name"] for one in inspector.get_unique_constraints(table)}
    return sorted(
        (str(one["name"]), bool(one["unique"]))
        for one in inspector.get_indexes(table)
        if one["name"] not in unique
    )


def _kind(kind: Any) -> str:
    """A type, as Python sees it."""
    for one in (sa.JSON, sa.Boolean, sa.Integer, sa.Float, sa.String):
        if isinstance(kind, one):
            return one.__name__
    return str(kind)
