"""Opening a file as our database: created, recognised, or refused and left as it was."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import migrations
from jobs.errors import CannotWrite
from jobs.store.sqlite import APPLICATION_ID, migrate
from tests.support.forked import ROOT, obeying, obeys_permissions

Opening = Callable[[Path], None]
OPENINGS = pytest.mark.parametrize("opening", [migrate.prepare, migrate.check])


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A database of ours, closed."""
    path = tmp_path / "night.db"
    migrate.prepare(path)
    return path


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection, committed and closed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def contents(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file of a folder, to the byte."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and not path.name.endswith(without)
    }


BESIDE = ("-wal", "-shm")
"""What SQLite itself keeps beside a file that says it is ours: reading it makes them."""


def refuse(opening: Opening, path: Path, match: str, *, without: tuple[str, ...] = ()) -> CannotWrite:
    """It is refused with these words, and nothing in the folder is changed, added or removed."""
    before = contents(path.parent, without=without)
    with pytest.raises(CannotWrite, match=match) as caught:
        opening(path)
    assert contents(path.parent, without=without) == before
    assert caught.value.exit_code == 73
    return caught.value


def test_a_new_database_is_nobody_elses_business(tmp_path: Path) -> None:
    """Prompts are in it: 0600, whatever the umask, and the same for what SQLite puts beside it."""
    path = tmp_path / "night.db"
    before = os.umask(0)
    try:
        migrate.prepare(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO batch (name, sheet, origin, created_at, generation) VALUES (1,1,1,1,1)"
            )
            connection.commit()
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"night.db": 0o600, "night.db-wal": 0o600, "night.db-shm": 0o600}


def test_a_new_database_says_what_it_is(ours: Path) -> None:
    """To us, to `file`, and to whoever opens it with sqlite3."""
    with closing(sqlite3.connect(ours)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(migrations.HEAD,)]


@OPENINGS
def test_opening_it_again_changes_nothing(ours: Path, opening: Opening) -> None:
    """Not a byte."""
    before = contents(ours.parent, without=BESIDE)
    opening(ours)
    assert contents(ours.parent, without=BESIDE) == before


@OPENINGS
def test_opening_it_keeps_what_is_in_it(ours: Path, opening: Opening) -> None:
    """Also what is still in the write-ahead log, as after a kill."""
    with closing(sqlite3.connect(ours)) as killed:
        killed.execute("INSERT INTO batch (name, sheet, origin, created_at, generation) VALUES ('a',1,1,1,1)")
        killed.commit()
        for suffix in ("", "-wal"):
            Path(f"{ours}.copy{suffix}").write_bytes(Path(f"{ours}{suffix}").read_bytes())
    copy = Path(f"{ours}.copy")
    opening(copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM batch").fetchall() == [("a",)]


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    """It may be one whose creation was cut short; there is nothing in it to lose."""
    path = tmp_path / "night.db"
    path.touch()
    migrate.prepare(path)
    migrate.check(path)


def test_a_reader_makes_nothing_of_an_empty_file(tmp_path: Path) -> None:
    """`status` does not create."""
    path = tmp_path / "night.db"
    path.touch()
    assert "Run a sheet first" in refuse(migrate.check, path, "There is no database at").hint


def test_a_reader_does_not_create(tmp_path: Path) -> None:
    """A missing file is told, not made."""
    assert "--db" in refuse(migrate.check, tmp_path / "night.db", "There is no database at").hint


@OPENINGS
@pytest.mark.parametrize(
    "content", [b"x", b"prompt,size\na fox,2048x2048\n" * 99, b"SQLite format 4\x00" * 99]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, opening: Opening, content: bytes) -> None:
    """A sheet that was named as the database, for one."""
    path = tmp_path / "sheet.csv"
    path.write_bytes(content)
    assert "--db" in refuse(opening, path, "is not a Nightsheet database, and was left as it is").hint


@OPENINGS
@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("application", [0, 0x0F055112])
def test_a_database_of_another_program_is_refused(
    tmp_path: Path, opening: Opening, journal: str, application: int
) -> None:
    """With its own application id or none; not even SQLite's own files are left beside it."""
    path = tmp_path / "bookmarks.sqlite"
    with changing(path) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute(f"PRAGMA application_id = {application}")
        connection.execute("CREATE TABLE job (id INTEGER)")
    refuse(opening, path, "is a database of another program, and was left as it is")


@OPENINGS
def test_a_database_that_another_program_has_open_is_refused(tmp_path: Path, opening: Opening) -> None:
    """What it has not folded into its file yet stays as it is, too."""
    path = tmp_path / "bookmarks.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE mark (id INTEGER)")
        assert (tmp_path / "bookmarks.sqlite-wal").stat().st_size > 0
        refuse(opening, path, "another program", without=("-shm",))


@OPENINGS
@pytest.mark.parametrize("version", [f"{int(migrations.HEAD) + 1:04}", "9999", "1000"])
def test_a_newer_schema_is_refused(ours: Path, opening: Opening, version: str) -> None:
    """Never silently past it: an older program would break its rules."""
    with changing(ours) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    hint = refuse(
        opening,
        ours,
        f"newer Nightsheet \\(schema {version}, this one knows {migrations.HEAD}\\)",
        without=BESIDE,
    ).hint
    assert "Upgrade Nightsheet" in hint


@OPENINGS
def test_a_schema_that_never_was_is_refused(ours: Path, opening: Opening) -> None:
    """Older than the newest, and no version of ours."""
    with changing(ours) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    refuse(opening, ours, "a schema that no Nightsheet had", without=BESIDE)


@OPENINGS
@pytest.mark.parametrize(
    "crafted",
    [
        "CREATE TRIGGER t AFTER UPDATE ON job BEGIN DELETE FROM attempt; END",
        "CREATE VIEW v AS SELECT 1",
    ],
)
def test_a_database_that_would_act_by_itself_is_refused(ours: Path, opening: Opening, crafted: str) -> None:
    """Ours has neither triggers nor views: somebody else put them there."""
    with changing(ours) as connection:
        connection.execute(crafted)
    refuse(opening, ours, "triggers or views", without=BESIDE)


@OPENINGS
@pytest.mark.parametrize(
    ("lost", "words"),
    [("DROP TABLE alembic_version", "has no schema version"), ("DELETE FROM alembic_version", "schema None")],
)
def test_a_database_without_a_schema_version_is_refused(
    ours: Path, opening: Opening, lost: str, words: str
) -> None:
    """Nobody knows what it is; creating the tables over it would fail half way."""
    with changing(ours) as connection:
        connection.execute(lost)
    refuse(opening, ours, words, without=BESIDE)


@OPENINGS
def test_a_damaged_database_is_refused(ours: Path, opening: Opening) -> None:
    """With what SQLite says of it."""
    content = ours.read_bytes()
    ours.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    refuse(opening, ours, "cannot be read as a database .* and was left as it is", without=BESIDE)


@OPENINGS
@pytest.mark.skipif(
    not obeys_permissions(), reason="permissions do not hold for root, and setpriv is not here"
)
def test_a_folder_that_nobody_may_write_to_is_named(ours: Path, opening: Opening) -> None:
    """It is not the database that is damaged: no backup is needed."""
    with closing(sqlite3.connect(ours)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.commit()
    ours.parent.chmod(0o555)
    try:
        code = "import sys, pathlib; from jobs.store.sqlite import migrate; "
        code += f"migrate.{opening.__name__}(pathlib.Path(sys.argv[1]))"
        command = [*obeying(), sys.executable, "-c", code, str(ours)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        ours.parent.chmod(0o755)
    assert "CannotWrite: The database" in done.stderr
    assert "SQLite keeps two files beside it" in done.stderr


@OPENINGS
def test_a_folder_is_refused(tmp_path: Path, opening: Opening) -> None:
    """It cannot be one."""
    path = tmp_path / "night.db"
    path.mkdir()
    refuse(opening, path, "is not a file|cannot be read: Is a directory")


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """It is not made either: it is probably a slip."""
    path = tmp_path / "nowhere" / "night.db"
    with pytest.raises(CannotWrite, match="cannot be created: No such file or directory") as caught:
        migrate.prepare(path)
    assert "--db" in caught.value.hint
    assert not path.parent.exists()


def test_a_creation_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    """Killed while the file became a WAL database: one page, and a journal that only a writer plays back."""
    path = tmp_path / "night.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as killed:
        killed.execute("PRAGMA user_version = 1")  # one page, no table
        killed.execute("BEGIN EXCLUSIVE")
        killed.execute("PRAGMA user_version = 2")
        journal = Path(f"{path}-journal").read_bytes()
        page = path.read_bytes()
    copy = tmp_path / "copy.db"
    copy.write_bytes(page)
    # What the first sync of a journal adds to it: its magic number, and that it holds one page.
    synced = bytes.fromhex("d9d505f920a163d7 00000001") + journal[12:]
    Path(f"{copy}-journal").write_bytes(synced)
    reader = sqlite3.connect(f"file:{copy}?mode=ro", uri=True)
    with closing(reader), pytest.raises(sqlite3.OperationalError):
        reader.execute("SELECT * FROM sqlite_master")
    migrate.prepare(copy)
    migrate.check(copy)


def test_a_database_that_is_being_created_is_no_foreign_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process commits the schema between two looks at the file: both must see one moment."""
    path = tmp_path / "night.db"
    with changing(path) as connection:
        connection.execute("PRAGMA journal_mode = wal")  # so far has the other process come

    class Watched(sqlite3.Connection):
        def execute(self, statement: str, values: Any = (), /) -> sqlite3.Cursor:
            cursor = super().execute(statement, values)
            if statement == "PRAGMA application_id":
                monkeypatch.undo()
                migrate.prepare(path)
            return cursor

    connect = sqlite3.connect

    def watching(name: str, *, uri: bool) -> sqlite3.Connection:
        return connect(name, uri=uri, factory=Watched)

    monkeypatch.setattr(sqlite3, "connect", watching)
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [(migrations.HEAD,)]


class Busy:
    """A connection to a file that another process puts into WAL mode at the same time."""

    def __init__(self, times: int, code: int = sqlite3.SQLITE_BUSY) -> None:
        self.times = times
        self.code = code
        self.told: list[str] = []

    def execute(self, statement: str) -> None:
        self.told.append(statement)
        if statement.startswith("PRAGMA") and self.times:
            self.times -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error


def test_another_process_that_sets_wal_is_waited_for() -> None:
    """SQLite fails at once there, but waits for a transaction; what is no lock is not tried again."""
    wal, wait = "PRAGMA journal_mode = WAL", ["BEGIN IMMEDIATE", "ROLLBACK"]
    busy = Busy(2)
    migrate._set_wal(busy)  # type: ignore[arg-type]
    assert busy.told == [wal, *wait, wal, *wait, wal]
    for never in (Busy(1000), Busy(1, sqlite3.SQLITE_READONLY)):
        with pytest.raises(sqlite3.OperationalError):
            migrate._set_wal(never)  # type: ignore[arg-type]
    assert never.told == [wal]
