"""Adoption: a row takes a job of its batch that says the same and was paid for, whatever key that had.

A sheet that was renumbered, or edited and edited back, costs nothing. An exact key comes first: rows take
other jobs only after all rows of the sheet have found their own, and each job is taken once. Further equal
rows stay new, and are paid.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    delete,
    exists,
    literal,
    select,
    update,
)

from jobs.attempts import PAID_OR_MAYBE
from jobs.states import JobState
from jobs.store.bulk.many_rows import FOUND, UpdateEach
from jobs.store.moves.values import ROW_GONE
from jobs.store.schema import ATTEMPT, DECISION, JOB, REROLL, WAS_SENT, of_batch

_AT_ONCE = 500
RETURNED = {
    "state": JobState.QUEUED,
    "finished_at": None,
    "error_kind": None,
    "error_code": None,
    "error_message": None,
}
"""The columns of a job whose row returns."""
WAS_CANCELLED = (JOB.c.state == JobState.CANCELLED) & (JOB.c.error_code == ROW_GONE)

PAID = WAS_SENT & exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.outcome.in_(sorted(PAID_OR_MAYBE)))
"""Of jobs: a submit was or may have been accepted. The first condition is that of the index."""
_PLACE = case(
    *(
        (JOB.c.state == state, place)
        for place, state in enumerate(
            (
                *(JobState.SUCCEEDED, JobState.FETCHING, JobState.RUNNING),
                *(JobState.UNCONFIRMED, JobState.SUBMITTING, JobState.QUEUED, JobState.FAILED),
            )
        )
    ),
    else_=9,
)
"""Of several jobs, the first is done or nearest to it."""


def _unsent(batch_id: int, generation: int) -> list[ColumnElement[Any]]:
    """The conditions for a job of the sheet that would be sent, and rather gives way to one that was."""
    return [
        JOB.c.batch_id == batch_id,
        JOB.c.generation == generation,
        JOB.c.current,
        JOB.c.state == JobState.QUEUED,
        JOB.c.attempts == 0,
        JOB.c.same_as.is_(None),
    ]


def sent_in(connection: Connection, batch_id: int, fingerprints: Sequence[str]) -> set[str]:
    """Which of these fingerprints are those of jobs of the batch that were or may have been paid for."""
    if not fingerprints:
        return set()
    found = connection.execute(
        select(JOB.c.fingerprint)
        .distinct()
        .where(JOB.c.fingerprint.in_(fingerprints), of_batch(batch_id), PAID)
    )
    return {str(fingerprint) for (fingerprint,) in found}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that a row may adopt."""

    id: int
    key: str
    state: str
    error_code: str | None
    current: bool


def candidates(
    connection: Connection, batch_id: int, fingerprints: Sequence[str]
) -> dict[str, list[Candidate]]:
    """The jobs of the batch with these fingerprints that were or may have been paid for, the best first."""
    found = connection.execute(
        select(JOB.c.fingerprint, JOB.c.id, JOB.c.key, JOB.c.state, JOB.c.error_code, JOB.c.current)
        .where(JOB.c.fingerprint.in_(fingerprints), of_batch(batch_id), PAID)
        .order_by(_PLACE, JOB.c.id)
    )
    known: dict[str, list[Candidate]] = defaultdict(list)
    for fingerprint, *row in found:
        known[fingerprint].append(Candidate(*row))
    return known


def adopt(connection: Connection, batch_id: int, generation: int) -> "array[int]":
    """Let unsent jobs of the sheet be replaced by unclaimed ones that were sent; returns their positions.

    Call it when all rows of the sheet have their own jobs: a job of an earlier generation is nobody's then.
    """
    unsent, sent, positions = array("q"), array("q"), array("q")
    rows: list[int] = []
    said = ""
    found = connection.execute(_by_saying(batch_id, generation))
    for part in found.partitions(_AT_ONCE):
        for fingerprint, is_sent, _rank, job_id in part:
            if fingerprint != said:
                rows, said = [], fingerprint
            if not is_sent:
                rows.append(job_id)
            elif rows:
                unsent.append(rows.pop(0))
                sent.append(job_id)
    for first in range(0, len(unsent), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        positions.extend(_replace(connection, batch_id, dict(zip(unsent[some], sent[some], strict=True))))
    return positions


def _by_saying(batch_id: int, generation: int) -> Select[Any]:
    """Unsent jobs and unclaimed ones that were sent, together by what they say.

    First the rows in their order, then the jobs that they may take, the best first.
    """
    unclaimed = [JOB.c.batch_id == batch_id, JOB.c.generation < generation, PAID]
    said = select(JOB.c.fingerprint).where(*unclaimed).scalar_subquery()
    wants = select(JOB.c.fingerprint, literal(0).label("is_sent"), JOB.c.position.label("rank"), JOB.c.id)
    wants = wants.where(*_unsent(batch_id, generation), JOB.c.fingerprint.in_(said))
    has = select(JOB.c.fingerprint, literal(1), _PLACE, JOB.c.id).where(*unclaimed)
    both = wants.union_all(has).subquery()
    return select(both).order_by(*both.c)


def _replace(connection: Connection, batch_id: int, by: dict[int, int]) -> list[int]:
    """Give the place of each unsent job to the job that was sent: key, position, columns. What was paid for
    keeps its attempts, images, folder and state."""
    found = (connection.execute(select(JOB).where(JOB.c.id.in_(list(by))))).all()
    pairs = list(by.items())
    # Submits that were turned away stay in the ledger; whoever waits for the unsent job waits for the other.
    _MOVE_ATTEMPTS.run(connection, [{FOUND: unsent, "job_id": sent} for unsent, sent in pairs])
    _MOVE_LINKS.run(connection, [{FOUND: unsent, "same_as": sent} for unsent, sent in pairs])
    for table in (DECISION, REROLL):  # what was decided about a job without an image: the other has its own
        connection.execute(delete(table).where(table.c.job_id.in_(list(by))))
    connection.execute(delete(JOB).where(JOB.c.id.in_(list(by))))
    _TAKE.run(connection, [_place(row, by[row.id]) for row in found])
    # A job that was queued once more, and cancelled because its row was gone under its old key.
    returned = update(JOB).where(JOB.c.id.in_(list(by.values())), WAS_CANCELLED)
    connection.execute(returned.values(**RETURNED))
    return [row.position for row in found]


_PLACE_OF_A_ROW = ("key", "revision", "generation", "position", "row", "turn", "columns")
_MOVE_ATTEMPTS = UpdateEach(ATTEMPT.c.job_id, ("job_id",))
_MOVE_LINKS = UpdateEach(JOB.c.same_as, ("same_as",), None, JOB.c.same_as.is_not(None))
_TAKE = UpdateEach(
    JOB.c.id,
    _PLACE_OF_A_ROW,
    {
        "cancel_requested": case((JOB.c.current, JOB.c.cancel_requested), else_=False),
        "current": True,
    },
)


def _place(row: Row[Any], sent_id: int) -> dict[str, Any]:
    return {FOUND: sent_id, **{name: getattr(row, name) for name in _PLACE_OF_A_ROW}}
