"""Reads what another database paid for, straight from its file. It changes nothing there."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import migrations
from jobs.attempts import PAID_OR_MAYBE
from jobs.errors import CannotWrite
from jobs.paid import PaidSubmit
from jobs.sheets.rows.keys import renewed
from jobs.store.sql.retirement import MARKED
from jobs.store.sqlite import APPLICATION_ID

_PATIENCE_SECONDS = 2.0
_WITHOUT_SIGNATURES = "0010"
"""From this version on, fingerprints leave out what signs a URL."""
_PAID = f"""
    SELECT job.model, job.fingerprint, job.inputs, batch.name, attempt.started_at, attempt.request_id,
           attempt.ended
    FROM attempt JOIN job ON job.id = attempt.job_id JOIN batch ON batch.id = job.batch_id
    WHERE batch.origin = ? AND attempt.outcome IN ({", ".join("?" * len(PAID_OR_MAYBE))})
    ORDER BY attempt.id
"""  # noqa: S608 - question marks alone


def paid_submits(path: Path, origin: str) -> list[PaidSubmit]:
    """The submits to an API that a database has, and that were or may have been accepted. Blocks.

    Raises:
        CannotWrite: it cannot be read: it is no database of ours, a newer one's, locked or damaged.
    """
    try:
        with closing(_connected(path)) as connection:
            version = _version(connection)
            found = connection.execute(_PAID, (origin, *sorted(PAID_OR_MAYBE)))
            return [
                PaidSubmit(
                    fingerprint if version >= _WITHOUT_SIGNATURES else renewed(model, fingerprint, inputs),
                    batch,
                    str(path),
                    datetime.fromisoformat(at),
                    request_id,
                    ended,
                )
                for model, fingerprint, inputs, batch, at, request_id, ended in found
            ]
    except (sqlite3.Error, OSError, ValueError, TypeError, UnicodeError) as error:
        raise CannotWrite(f"{path} cannot be read ({error}).") from error


def check_readable(path: Path) -> None:
    """Check that a file is a database of this version, or of an older one. Blocks.

    Raises:
        CannotWrite: it is another file, a newer version's, locked or damaged.
    """
    try:
        with closing(_connected(path)) as connection:
            _version(connection)
    except (sqlite3.Error, OSError, ValueError, TypeError, UnicodeError) as error:
        raise CannotWrite(f"{path} cannot be read ({error}).") from error


def is_retired(path: Path) -> bool:
    """Whether a file is a database of ours whose rows went elsewhere; no if it cannot be read. Blocks."""
    try:
        with closing(_connected(path)) as connection:
            _version(connection)
            return connection.execute(MARKED).fetchone() is not None
    except (sqlite3.Error, OSError, ValueError, TypeError, UnicodeError):
        return False


def _connected(path: Path) -> sqlite3.Connection:
    # Without a log beside the file nobody writes to it: opened as immutable, it gets no files beside it.
    how = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, timeout=_PATIENCE_SECONDS)


def _version(connection: sqlite3.Connection) -> str:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise ValueError("it is no database of Nightsheet")
    (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if not isinstance(version, str) or version > migrations.HEAD:
        raise ValueError("it was written by a newer Nightsheet")
    return version
