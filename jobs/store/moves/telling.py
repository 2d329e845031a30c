"""The two moves of each job that tell what comes next: it is at the API, and it has succeeded.

What such a move leaves is told by its own statements: a job makes them all, and nothing is read back.
"""

from sqlalchemy import Connection

from jobs.outcomes import Accepted, Fetched, LinksExpired, RemoteDone
from jobs.store.moves.conditions import (
    IS_NEWEST,
    condition_of,
    make_told_move,
    update_newest_told,
    values_of,
)
from jobs.store.moves.images import PLACE, replace_or_add
from jobs.store.moves.values import attempt_values, job_values
from jobs.store.rows import OPEN_ATTEMPT, OPEN_JOB, open_view_of
from jobs.store.schema import JOB
from jobs.store.sqlite.prepared import Told, given
from jobs.views import ArtifactView, OpenJob

_JOB = Told(JOB.c.id == given("job_id"), *OPEN_JOB)
_ATTEMPT = Told(IS_NEWEST, *OPEN_ATTEMPT)


def advance(connection: Connection, outcome: Accepted | RemoteDone | LinksExpired) -> OpenJob | None:
    """Apply an outcome that leaves the job at the API; the job as it then is, None if not applied."""
    job_id, columns, condition = outcome.job_id, job_values(outcome), condition_of(outcome)
    values = values_of(outcome)
    job = make_told_move(connection, outcome.move, job_id, columns, _JOB, condition=condition, **values)
    if job is None:
        return None
    attempt = update_newest_told(connection, job_id, attempt_values(outcome), _ATTEMPT)
    return None if attempt is None or attempt.request_id is None else open_view_of(job, attempt)


def succeed(connection: Connection, outcome: Fetched, attempt_id: int, last: ArtifactView) -> bool:
    """Apply the end of a job, and record the image that came last; False if it was not applied."""
    job_id, columns = outcome.job_id, job_values(outcome)
    place = make_told_move(
        connection, outcome.move, job_id, columns, PLACE, attempt_id=attempt_id, number=last.number
    )
    if place is None:
        return False
    replace_or_add(connection, job_id, attempt_id, last, place)
    return True
