"""What a process of tests prepares once, and need not do again for each of thousands.

The SQL that SQLAlchemy compiles, an empty database with today's schema, the pictures that the API draws: each
is a function of its input alone. Tests of how a database is made do not use it, nor does every crash trial.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import create_engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from jobs.store.sqlite import migrate
from runner.emulator.pictures.pictures import render

_compiled: dict[Any, Any] = {}

drawn = lru_cache(maxsize=4096)(render.__wrapped__)
"""The picture of a recipe."""


def fast_folder() -> str | None:
    """Where files cost least: memory, where the system has such a place."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None


@cache
def _empty_database() -> bytes:
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        path = Path(folder) / "empty.db"
        migrate.prepare(path)
        return path.read_bytes()


def prepare_database(path: Path) -> None:
    """A database with our schema, and nothing in it, where there is none yet."""
    if not path.exists():
        path.write_bytes(_empty_database())
        path.chmod(0o600)


@contextmanager
def warm() -> Iterator[None]:
    """Within, compiled statements are shared between engines, and pictures are drawn once."""
    engine = partial(create_engine, execution_options={"compiled_cache": _compiled})
    with (
        mock.patch("jobs.store.sqlite.thread.create_engine", engine),
        mock.patch.object(SQLiteDialect_pysqlite, "__eq__", lambda mine, other: type(mine) is type(other)),
        mock.patch.object(SQLiteDialect_pysqlite, "__hash__", lambda mine: hash(type(mine))),
        mock.patch("runner.emulator.http.app.render", drawn),
    ):
        yield


def discard(folder: Path) -> None:
    """Delete a folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
