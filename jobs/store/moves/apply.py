"""Moves: each is a compare-and-set on the job's state, and an update of the job's newest attempt."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select

from jobs.outcomes import Attached, LeftUnconfirmed, NotAccepted, Outcome, Requeued, Resubmitted
from jobs.states import Move
from jobs.store.accounts.doubts import note_doubt
from jobs.store.moves.attach import attach, is_taken
from jobs.store.moves.conditions import NEWEST_ATTEMPT, condition_of, make_move, update_newest, values_of
from jobs.store.moves.values import LEFT_UNSENT, NEVER_SENT, attempt_values, job_values
from jobs.store.schema import ATTEMPT, JOB
from jobs.store.sqlite.prepared import Prepared

_DELETE_NEWEST = Prepared(delete(ATTEMPT).where(ATTEMPT.c.id == NEWEST_ATTEMPT))
_UNWANTED = ((JOB.c.cancel_requested, NEVER_SENT), (~JOB.c.current, LEFT_UNSENT))
"""Who no longer wants a job that was not accepted, and the reason that the job gets then."""


def apply_all(connection: Connection, outcomes: Sequence[Outcome]) -> bool:
    """Apply all outcomes or none; False if a job is in no source state of its move.

    An automatic repeat is skipped if meanwhile a person requested a cancel or removed the row.
    """
    wanted = [outcome for outcome in outcomes if not _is_unwanted(connection, outcome)]
    if not wanted:
        return False
    if len(wanted) == 1:
        return apply(connection, wanted[0])  # alone it changes nothing where it cannot be made
    savepoint = connection.begin_nested()
    for outcome in wanted:
        if not apply(connection, outcome):
            savepoint.rollback()
            return False
    savepoint.commit()
    return True


def _is_unwanted(connection: Connection, outcome: Outcome) -> bool:
    if not (isinstance(outcome, Resubmitted | Requeued) and outcome.automatic):
        return False
    unwanted = select(or_(JOB.c.cancel_requested, ~JOB.c.current)).where(JOB.c.id == outcome.job_id)
    return bool((connection.execute(unwanted)).scalar_one_or_none())


def apply(connection: Connection, outcome: Outcome) -> bool:
    """Apply an outcome to its job.

    False, without any change, if the job is in no source state of the move, or another attempt has the
    request_id.
    """
    job_id = outcome.job_id
    if isinstance(outcome, Attached):
        return not is_taken(connection, outcome) and attach(connection, outcome)
    condition, values = condition_of(outcome), values_of(outcome)
    if not make_move(connection, outcome.move, job_id, job_values(outcome), condition=condition, **values):
        return False
    if isinstance(outcome, NotAccepted) and outcome.told is None:
        _DELETE_NEWEST.change(connection, job_id=job_id)
    elif columns := attempt_values(outcome):
        update_newest(connection, job_id, columns)
    if isinstance(outcome, LeftUnconfirmed):
        note_doubt(connection, job_id, outcome.at)
    if isinstance(outcome, NotAccepted):
        for nobody_wants_it, why in _UNWANTED:
            ended = {"finished_at": outcome.at, "cancel_requested": False, **why}
            make_move(connection, Move.CANCEL, job_id, ended, condition=nobody_wants_it)
    return True
