"""Reads batch names for shell completion, straight from the file. It changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

_PATIENCE_SECONDS = 0.2


def batch_names(path: Path) -> list[str]:
    """The names of the batches in a database; none if it cannot be read, for any reason."""
    if not path.is_file():
        return []
    # Without a log beside the file nobody writes to it: opened as immutable, it gets no files beside it.
    how = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    try:
        address = f"{path.resolve().as_uri()}?{how}"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE_SECONDS)) as connection:
            return [str(name) for (name,) in connection.execute("SELECT name FROM batch ORDER BY name")]
    except (sqlite3.Error, OSError, ValueError):  # no database, another program's, locked, or deleted
        return []
