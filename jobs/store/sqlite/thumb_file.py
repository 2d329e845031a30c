"""The thumbnails: one SQLite file beside the database, by the content of the image. A cache and no more.

It may be deleted at any time, and is never waited for: what cannot be read or written is made again. So it
keeps no promise of `thread.py`: no fsync, no migrations; another version of it is thrown away.
"""

import os
import shutil
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from jobs.errors import CannotWrite

VERSION = 1
SPARE_BYTES = 1 << 30
"""Where the disk has less free, no thumbnail is kept: the room is for images and the database."""

PATIENCE_SECONDS = 0.5
"""So long another process is waited for that has the file locked."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS thumb (
        id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, side INTEGER NOT NULL, data BLOB NOT NULL,
        UNIQUE (sha256, side)
    )
"""


class ThumbFile:
    """The file. Its methods block, and may be called from any thread."""

    def __init__(self, path: Path, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_over = False
        """Closed, or thrown away once already: it is not opened again."""

    @classmethod
    def beside(cls, database: Path, patience_seconds: float = PATIENCE_SECONDS) -> "ThumbFile":
        """The one that belongs to a database."""
        return cls(Path(f"{database}.thumbs"), patience_seconds)

    @classmethod
    def forget(cls, database: Path) -> None:
        """Delete the one of a database.

        Raises:
            CannotWrite: it cannot be deleted.
        """
        path = cls.beside(database)._path
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(
                f"The thumbnails in {path} cannot be deleted: {error.strerror or error}.",
                hint="Give permission to write in that folder, or leave out --forget-thumbnails.",
            ) from error

    def get(self, sha256: str, side: int) -> bytes | None:
        """The thumbnail of an image, if it is kept."""
        with self._lock, suppress(sqlite3.Error, OSError):
            found = self._open().execute(
                "SELECT data FROM thumb WHERE sha256 = ? AND side = ?", (sha256, side)
            )
            row = found.fetchone()
            return None if row is None else bytes(row[0])
        return None

    def put(self, sha256: str, side: int, data: bytes) -> None:
        """Keep a thumbnail, if that can be done."""
        with self._lock, suppress(sqlite3.Error, OSError):
            if shutil.disk_usage(self._path.parent).free < SPARE_BYTES:
                return
            self._open().execute(
                "INSERT OR IGNORE INTO thumb (sha256, side, data) VALUES (?, ?, ?)", (sha256, side, data)
            )

    def close(self) -> None:
        """Close the file, for good."""
        with self._lock:
            self._is_over = True
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._is_over:
                raise sqlite3.OperationalError("closed, or thrown away once already")
            try:
                self._connection = _opened(self._path, self._patience_seconds)
            except sqlite3.OperationalError:  # locked, or a disk that refuses: the file may be as it should
                raise
            except sqlite3.Error:  # no database, or another version's
                self._is_over = True
                self._path.unlink(missing_ok=True)
                self._connection = _opened(self._path, self._patience_seconds)
        return self._connection


def _opened(path: Path, patience_seconds: float) -> sqlite3.Connection:
    with suppress(FileExistsError):  # only for its owner: SQLite would let everybody read it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, timeout=patience_seconds, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError("another version's")
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection
