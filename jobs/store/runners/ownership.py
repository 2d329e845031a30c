"""Whose a job is: a column that means something while the runner lives whose id it has.

On a server a move is made by a runner, by a command that is none, or over a file's table: the connection
knows. Nothing is asked or written for the latter.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from jobs.states import Move
from jobs.store.schema import JOB, RUNNER
from jobs.store.sqlite.prepared import given

RUNNER_ID = "runner_id"
"""What a connection to a server is told before each write: the runner's id, None for a command."""

LIVING = select(RUNNER.c.id).where(RUNNER.c.dead_at.is_(None))
IS_LEFT = or_(JOB.c.runner_id.is_(None), JOB.c.runner_id.not_in(LIVING))
"""Nobody has the job in hand who lives. Of a file that is every job: nobody else has it then."""
IS_OWN = JOB.c.runner_id == given(RUNNER_ID)

_KEEPS = frozenset({Move.REMOTE_DONE, Move.LINKS_EXPIRED})
_TAKES = frozenset({Move.CLAIM, Move.ACCEPTED})
_OF_ITS_RUNNER = _KEEPS | {
    *(Move.REMOTE_FAILED, Move.REMOTE_CANCELLED),
    *(Move.FETCHED, Move.FETCH_FAILED),
}


def is_shared(connection: Connection) -> bool:
    """Whether the table is on a server, where several may work."""
    return RUNNER_ID in connection.info


def own_id(connection: Connection) -> int | None:
    """The id of the runner that writes; None for a command, and over a file."""
    runner_id: int | None = connection.info.get(RUNNER_ID)
    return runner_id


def columns_of(connection: Connection, move: Move) -> Mapping[str, Any]:
    """What a move says of whose the job is.

    A receipt that a runner gets which counts as dead makes the job that runner's: that is nobody's.
    """
    return {} if move in _KEEPS else {RUNNER_ID: own_id(connection) if move in _TAKES else None}


def is_runners_own(connection: Connection, move: Move) -> bool:
    """Whether a move is made by a runner, and only of a job that is its own."""
    return move in _OF_ITS_RUNNER and own_id(connection) is not None
