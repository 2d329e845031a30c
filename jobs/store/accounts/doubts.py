"""A submit is in doubt: its account sends nothing more before a free question is answered."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from jobs.store.schema import ACCOUNT, BATCH, JOB
from jobs.store.sqlite.prepared import Prepared, given

_ITS_ACCOUNT = (
    select(BATCH.c.account_id).join(JOB, JOB.c.batch_id == BATCH.c.id).where(JOB.c.id == given("job_id"))
)
_DOUBTED = Prepared(
    update(ACCOUNT)
    .where(ACCOUNT.c.id == _ITS_ACCOUNT.scalar_subquery())
    .values(doubted_since=given("since"), asked_until=None)
)


def note_doubt(connection: Connection, job_id: int, since: datetime) -> None:
    """Note the doubt about a submit of this job, by the time that names it."""
    _DOUBTED.change(connection, job_id=job_id, since=since)
