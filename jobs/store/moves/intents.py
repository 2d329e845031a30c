"""The intent to submit: committed before the POST leaves, or put back from the journal after it had left."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, insert

from jobs.attempts import Intent, SubmitOutcome
from jobs.outcomes import Claimed
from jobs.states import Move
from jobs.store.moves.conditions import Condition, make_told_move
from jobs.store.moves.values import ONE_MORE
from jobs.store.runners.ownership import own_id
from jobs.store.schema import ATTEMPT, JOB
from jobs.store.sqlite.prepared import Prepared, Told, given

_MAY_BE_SENT = and_(JOB.c.current, JOB.c.agreed, ~JOB.c.cancel_requested)
_CLAIMED = Told(JOB.c.id == given("job_id"), JOB.c.attempts, JOB.c.unproven)
_GIVEN = ("uid", "job_id", "number", "payload_sha256", "started_at", "runner_id")
_INSERT = Prepared(
    insert(ATTEMPT).values(
        {name: given(name) for name in _GIVEN}
        | {"outcome": SubmitOutcome.INTENT, "automatic": False, "estimate_usd": given("estimate_usd")}
    )
)


def claim(connection: Connection, claimed: Claimed) -> Intent | None:
    """Record the intent to submit; None if the job must not be sent any more."""
    return _record(connection, claimed, {}, _MAY_BE_SENT)


def put_back(connection: Connection, claimed: Claimed, inputs: str) -> None:
    """Record the intent of a submit that has left already, with the `inputs` that were sent."""
    _record(connection, claimed, {"inputs": inputs, "same_as": None, "held": None}, None)


def _record(
    connection: Connection, claimed: Claimed, columns: Mapping[str, Any], condition: Condition
) -> Intent | None:
    sent = {"attempts": ONE_MORE, "submitted_at": claimed.at, "agreed": False, **columns}
    job = make_told_move(connection, Move.CLAIM, claimed.job_id, sent, _CLAIMED, condition=condition)
    if job is None:
        return None
    _INSERT.change(
        connection,
        uid=claimed.uid,
        job_id=claimed.job_id,
        number=job.attempts,
        payload_sha256=claimed.payload_sha256,
        started_at=claimed.at,
        runner_id=own_id(connection),
        estimate_usd=claimed.estimate_usd,
    )
    return Intent(job.unproven)
