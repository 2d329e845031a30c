"""Upgrades: every version or none, and what was paid for survives them."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import migrations
from jobs.errors import CannotWrite
from jobs.store.sqlite import migrate
from tests.unit.jobs.store.test_tables import SOUND, insert

NOW = migrations.HEAD
LATER = f"{int(NOW) + 1:04}"
NEXT = f"""
from alembic import op

revision = "{LATER}"
down_revision = "{NOW}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE batch ADD COLUMN mood VARCHAR")
    op.execute("CREATE INDEX job_by_model ON job (model)")
"""
BROKEN = NEXT + '    op.execute("ALTER TABLE nowhere ADD COLUMN mood VARCHAR")\n'
KILLED = NEXT + "    import os\n    os._exit(137)\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """The history of a later Nightsheet, to which a test adds its next version."""
    folder = tmp_path / "later" / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of today's version, with something in it."""
    path = tmp_path / "night.db"
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO batch (name, sheet, origin, created_at, generation) VALUES ('a',1,1,1,1)"
        )
    return path


def use(monkeypatch: pytest.MonkeyPatch, history: Path, version: str) -> None:
    """Be that later Nightsheet."""
    (history / "versions" / f"v{LATER}_next.py").write_text(version)
    monkeypatch.setattr(migrations, "__file__", str(history / "__init__.py"))
    monkeypatch.setattr(migrations, "HEAD", LATER)


def standing(path: Path) -> tuple[str, int, list[str]]:
    """The version, how many columns a batch has, and the batches."""
    with closing(sqlite3.connect(path)) as connection:
        ((version,),) = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        columns = len(connection.execute("PRAGMA table_info(batch)").fetchall())
        batches = [name for (name,) in connection.execute("SELECT name FROM batch")]
    return version, columns, batches


@pytest.mark.parametrize("opening", [migrate.prepare, migrate.check])
def test_an_older_database_is_brought_up_to_date(
    monkeypatch: pytest.MonkeyPatch, history: Path, old: Path, opening: Callable[[Path], None]
) -> None:
    """On opening it, whoever does; what is in it stays, and opening it again changes nothing."""
    _, columns, _ = standing(old)
    use(monkeypatch, history, NEXT)
    opening(old)
    assert standing(old) == (LATER, columns + 1, ["a"])
    opening(old)
    assert standing(old) == (LATER, columns + 1, ["a"])


def test_a_new_database_runs_through_every_version(
    monkeypatch: pytest.MonkeyPatch, history: Path, tmp_path: Path
) -> None:
    """From nothing to the newest in one go."""
    path = tmp_path / "new.db"
    use(monkeypatch, history, NEXT)
    migrate.prepare(path)
    assert standing(path)[0] == LATER


def test_a_failed_upgrade_leaves_the_database_as_it_was(
    monkeypatch: pytest.MonkeyPatch, history: Path, old: Path
) -> None:
    """The older Nightsheet still opens it, and a repaired one brings it up to date."""
    before = standing(old)
    with monkeypatch.context() as broken:
        use(broken, history, BROKEN)
        with pytest.raises(CannotWrite, match="cannot be brought up to date: no such table: nowhere"):
            migrate.prepare(old)
    migrate.prepare(old)
    assert standing(old) == before
    use(monkeypatch, history, NEXT)
    migrate.prepare(old)
    assert standing(old) == (LATER, before[1] + 1, ["a"])


def test_a_failed_creation_leaves_no_half_of_a_database(
    monkeypatch: pytest.MonkeyPatch, history: Path, tmp_path: Path
) -> None:
    """Version 1 has worked, version 2 has not: neither is there."""
    path = tmp_path / "new.db"
    with monkeypatch.context() as broken:
        use(broken, history, BROKEN)
        with pytest.raises(CannotWrite):
            migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []
    migrate.prepare(path)
    assert standing(path)[0] == NOW


@pytest.mark.parametrize("exists", [True, False])
def test_an_upgrade_that_was_killed_is_done_again(
    monkeypatch: pytest.MonkeyPatch, history: Path, old: Path, tmp_path: Path, exists: bool
) -> None:
    """In the middle of the transaction, over an old database or a new one."""
    path = old if exists else tmp_path / "new.db"
    (history / "versions" / f"v{LATER}_next.py").write_text(KILLED)
    code = (
        "import sys; from pathlib import Path; from jobs.store.sqlite import migrate; "
        "migrate.prepare(Path(sys.argv[1]))"
    )
    place = str(history / "x")
    later = f"import migrations; migrations.__file__ = {place!r}; migrations.HEAD = {LATER!r}; {code}"
    killed = subprocess.run(
        [sys.executable, "-c", later, str(path)], check=False, capture_output=True, text=True
    )
    assert killed.returncode == 137, killed.stderr
    use(monkeypatch, history, NEXT)
    migrate.prepare(path)
    version, _, batches = standing(path)
    assert (version, batches) == (LATER, ["a"] if exists else [])


def test_a_database_that_is_held_is_told(monkeypatch: pytest.MonkeyPatch, history: Path, old: Path) -> None:
    """A runner of the older Nightsheet is at work: the upgrade waits, and then says so."""
    use(monkeypatch, history, NEXT)
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *given, **more: connect(*given, **more | {"timeout": 0.02})
    )
    with closing(connect(old, isolation_level=None)) as runner:
        runner.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotWrite, match="cannot be brought up to date: database is locked"):
            migrate.prepare(old)
        runner.execute("ROLLBACK")
    migrate.prepare(old)
    assert standing(old)[0] == LATER


def test_a_table_that_is_made_anew_keeps_its_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Letter for letter, with all that refers to them."""
    path = tmp_path / "night.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "HEAD", "0002")
        migrate.prepare(path)
    rows = {
        **SOUND,
        "job": SOUND["job"] | {"key": "007", "inputs": "1e5", "columns": '{"a":"1"}', "turn": -2.5},
        "attempt": {name: value for name, value in SOUND["attempt"].items() if name != "uid"},
    }
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, row in rows.items():
            insert(connection, table, **row)
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.row_factory = sqlite3.Row
        for table, row in rows.items():
            (kept,) = connection.execute(f"SELECT * FROM {table}").fetchall()
            assert {name: kept[name] for name in row} == row
        ((uids, attempts),) = connection.execute("SELECT count(DISTINCT uid), count(*) FROM attempt")
    assert uids == attempts


@pytest.mark.parametrize("linked", [True, False])
def test_who_has_links_asked_for_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, linked: bool) -> None:
    """The next run would end them, if nobody had."""
    path = tmp_path / "night.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "HEAD", "0004")
        migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        insert(connection, "batch", **SOUND["batch"])
        insert(connection, "job", **SOUND["job"])
        twin = {
            "id": 77,
            "key": "twin",
            "folder": "twin",
            "position": 1,
            "same_as": SOUND["job"]["id"] if linked else None,
        }
        insert(connection, "job", **SOUND["job"] | twin | {"state": "queued", "agreed": 0})
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT dedupe FROM batch").fetchall() == [(int(linked),)]


def test_an_account_of_before_has_no_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What nights found out of it stays, and a batch has no account until it is run again."""
    path = tmp_path / "night.db"
    with monkeypatch.context() as earlier:
        earlier.setattr(migrations, "HEAD", "0018")
        migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        insert(connection, "batch", **SOUND["batch"])
        connection.execute("INSERT INTO apiaccount (id, name) VALUES (3, 'https://api.example 12')")
        connection.execute("INSERT INTO accountlimit VALUES (3, 'model', 22, 24, '2026')")
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        columns = "in_flight_max, gate, per_minute, budget, next_at, cool_until, doubted_since, asked_until"
        (account,) = connection.execute(f"SELECT id, name, {columns} FROM apiaccount").fetchall()
        assert account == (3, "https://api.example 12", *[None] * 8)
        assert connection.execute("SELECT in_flight FROM accountlimit").fetchall() == [(22,)]
        assert connection.execute("SELECT account_id FROM batch").fetchall() == [(None,)]
        for column, value in (("in_flight_max", 0), ("gate", 0), ("per_minute", 0.0), ("budget", -1)):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(f"UPDATE apiaccount SET {column} = ?", (value,))
