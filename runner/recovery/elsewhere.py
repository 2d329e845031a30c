"""What other databases sent, as their journals tell: rows that say the same are not paid for unasked.

They lie in the state folder, and beside a database that took the place of one that was deleted.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from jobs.paid import PaidSubmit
from runner.recovery.healing import opened
from runner.recovery.journal_places import beside, databases_in, folder_of, is_old, journals_in


def paid_by_journals(
    database: Path, uid: str | None, origin: str, state: Path, now: datetime
) -> list[PaidSubmit]:
    """The submits to an API in the journals of databases with another uid. Blocks.

    `uid` is this database's, None where there is none yet; `state` is the user's state folder. Journals that
    have had their time are deleted. One that cannot be read is its own database's concern.

    Raises:
        CannotWrite: a later version wrote one of them.
    """
    of_origin = folder_of(state, origin)
    found: dict[str, PaidSubmit] = {}
    for folder in (beside(database), *databases_in(of_origin)):
        if uid is not None and folder.name == uid:
            continue
        for path in journals_in(folder):
            if is_old(path, now) and folder.parent == of_origin:
                with suppress(OSError):
                    path.unlink()
                continue
            found |= dict(_paid(path, uid, origin))
    return list(found.values())


def _paid(path: Path, uid: str | None, origin: str) -> Iterator[tuple[str, PaidSubmit]]:
    """The submits of one journal that were or may have been accepted, by the attempt's uid."""
    with opened(path) as reader:
        if reader is None or reader.header.database == uid or reader.header.origin != origin:
            return
        of = reader.header.path
        for record in reader:
            if record.is_free:
                continue
            yield record.uid, PaidSubmit(record.fingerprint, record.batch, of, record.at, record.receipt)
