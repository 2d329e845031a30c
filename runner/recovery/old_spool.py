"""The spool of versions before the journal: a file of request_ids that the database could not store.

It is taken up once, and deleted when the table has all of it.
"""

import json
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from jobs.errors import CannotWrite
from jobs.outcomes import Attached
from jobs.views import BatchView, Receipt

_LINE = re.compile(rb"[^\0\r\n]+")


def spool_of(database: Path) -> Path:
    """Where a database had its spool."""
    return database.with_name(f"{database.name}.spool")


def receipts_in(database: Path, batch: BatchView) -> tuple[Receipt, ...]:
    """The receipts in the spool for a batch; none where there is no spool.

    Raises:
        CannotWrite: it cannot be read.
    """
    return tuple(receipt for of_batch, receipt in _lines(spool_of(database)) if of_batch == batch.id)


def drop(database: Path, batch: BatchView, left: tuple[Receipt, ...]) -> None:
    """Delete the spool, unless it holds receipts that are `left` or another batch's."""
    others = any(of_batch != batch.id for of_batch, _ in _lines(spool_of(database)))
    if not left and not others:
        with suppress(OSError):  # it is read again, and says nothing new
            spool_of(database).unlink(missing_ok=True)


def _lines(path: Path) -> list[tuple[int, Receipt]]:
    """Every whole line: its batch's id, and what it says."""
    try:
        held = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotWrite(
            f"{path} cannot be read: {error.strerror or error}.",
            hint="Nothing was sent: it may hold receipts of paid jobs. Make it readable.",
        ) from error
    lines = []
    for found in _LINE.finditer(held):
        try:
            told = json.loads(found[0])
            at = datetime.fromisoformat(told["at"])
            attached = Attached(int(told["job_id"]), told["request_id"], at, told.get("uid") or None)
            lines.append((int(told["batch_id"]), Receipt(told["key"], attached)))
        except (ValueError, TypeError, KeyError):
            continue  # torn by a crash during a write; whole lines are separate
    return lines
