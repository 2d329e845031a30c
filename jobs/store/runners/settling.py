"""What a runner that died leaves: its submits are in doubt, and what the API has of it is anybody's."""

from sqlalchemy import ColumnElement, Connection, select, update

from jobs.attempts import SubmitOutcome
from jobs.failures import Failure
from jobs.states import MOVES, Move
from jobs.store.runners.ownership import IS_LEFT
from jobs.store.schema import ATTEMPT, JOB


def leave_unconfirmed(connection: Connection, failure: Failure, which: ColumnElement[bool]) -> int:
    """Make `submitting` jobs `unconfirmed` whose runner does not live; return how many these are."""
    sources, target = MOVES[Move.UNCONFIRMED]
    interrupted = which & JOB.c.state.in_(sorted(sources)) & IS_LEFT
    error = {
        "error_kind": failure.kind,
        "error_code": failure.code,
        "error_message": failure.message,
    }
    intents = select(JOB.c.id).where(interrupted)
    connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.job_id.in_(intents), ATTEMPT.c.outcome == SubmitOutcome.INTENT)
        .values(outcome=SubmitOutcome.UNCONFIRMED, detail=failure.message)
    )
    moved = connection.execute(update(JOB).where(interrupted).values(state=target, runner_id=None, **error))
    return int(moved.rowcount)
