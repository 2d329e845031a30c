"""A look at a job table that nobody has opened, for a shell that completes a word: it changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

_PATIENCE_SECONDS = 0.2


def batch_names(path: Path) -> list[str]:
    """The batches in the database, by name; none where it cannot be read just now, for whatever reason."""
    if not path.is_file():
        return []
    # Where no log lies beside it, nobody writes: taken as it is, it needs no files of ours beside it.
    how = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    try:
        address = f"{path.resolve().as_uri()}?{how}"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            return [str(name) for (name,) in connection.execute("SELECT name FROM batch ORDER BY name")]
    except (sqlite3.Error, OSError, ValueError):  # no database, another program's, locked, taken away
        return []
