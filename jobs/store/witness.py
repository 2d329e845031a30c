"""The table held against the journal, and healed where it went back in time or lost its last commits."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, exists, insert, or_, select, update

from jobs.attempts import UNDECIDED, SubmitOutcome
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, Attached, Claimed, LeftUnconfirmed, NotAccepted, Outcome, Requeued
from jobs.payload import payload
from jobs.states import JobState
from jobs.store.moves import apply as moves
from jobs.store.moves import intents
from jobs.store.moves.attach import holder_of
from jobs.store.part import StorePart, reads, writes
from jobs.store.runners.settling import leave_unconfirmed
from jobs.store.schema import ATTEMPT, BATCH, IDENTITY, JOB, SETTLED_JOURNAL
from jobs.submit_record import NOTHING_SETTLED, Healed, KnownJournal, SettledTo, SubmitRecord
from jobs.views import Receipt, Settled

_FORGOTTEN = Failure(
    FailureKind.UNCONFIRMED,
    "The journal has this submit and no answer to it, and the database did not know it. "
    "It may have been accepted and paid for.",
)
_LONGEST = 1 << 40
"""No journal has as many bytes."""
_MAY_BE_SENT_AGAIN = (JobState.FAILED, JobState.CANCELLED)


class Witness(StorePart):
    """What the journal knows of this database, and the files of it that hold nothing new."""

    @reads
    def database_uid(self, connection: Connection) -> str:
        """The database's own name, which every copy of it shares."""
        return str((connection.execute(select(IDENTITY.c.uid))).scalar_one())

    @reads
    def known_journals(self, connection: Connection) -> dict[str, KnownJournal]:
        """The journal files that the table agreed with, to the last line or so far, by name."""
        found = connection.execute(
            select(SETTLED_JOURNAL.c.name, SETTLED_JOURNAL.c.stamp, SETTLED_JOURNAL.c.settled_to)
        )
        return {str(row.name): KnownJournal(row.stamp or None, _settled_to(row.settled_to)) for row in found}

    @writes
    def settle_journal(self, connection: Connection, name: str, stamp: str) -> None:
        """Note that the table agrees with a journal file to its last line."""
        _note(connection, name, stamp=stamp)

    @writes
    def settle_journal_to(self, connection: Connection, name: str, settled_to: SettledTo) -> None:
        """Note how far the table agrees with the journal of a run that goes on."""
        _note(connection, name, settled_to=json.dumps([settled_to.end, *settled_to.open]))

    @reads
    def settled(self, connection: Connection, uids: Sequence[str]) -> frozenset[str]:
        """Those of some attempts of which a journal has nothing more to tell."""
        ended = [SubmitOutcome.REFUSED, SubmitOutcome.TURNED_AWAY]
        found = connection.execute(
            select(ATTEMPT.c.uid).where(
                ATTEMPT.c.uid.in_(uids), or_(ATTEMPT.c.request_id.is_not(None), ATTEMPT.c.outcome.in_(ended))
            )
        )
        return frozenset(found.scalars())

    @writes
    def heal(
        self, connection: Connection, origin: str, records: Sequence[SubmitRecord], now: datetime
    ) -> Healed:
        """Put back what the table does not know of some submits to an API.

        A receipt makes its job `running`, wherever the table had come to; a submit without an answer makes it
        `unconfirmed`; what was surely not accepted is left alone.
        """
        healed = Healed()
        attempts = _attempts(connection, [record.uid for record in records])
        for record in records:
            attempt = attempts.get(record.uid)
            if attempt is not None:
                _complete(connection, attempt, record, healed, now)
            elif not record.is_free:
                _put_back(connection, origin, record, healed, now)
        return healed

    @writes
    def settle_interrupted(
        self, connection: Connection, batch_id: int, failure: Failure, receipts: Sequence[Receipt] = ()
    ) -> Settled:
        """Make every `submitting` job `unconfirmed` whose run died during the submit. Then attach each
        receipt to its job, in the same transaction: nobody may decide about a job whose receipt exists.

        Raises:
            LockLost: another runner has taken over, and these submits may be its own. Nothing was changed.
        """
        self._database.check_alive(connection)
        unconfirmed = leave_unconfirmed(connection, failure, JOB.c.batch_id == batch_id)
        attached = 0
        left = []
        for receipt in receipts:
            if _is_of(connection, batch_id, receipt) and moves.apply(connection, receipt.outcome):
                attached += 1
            elif holder_of(connection, receipt.outcome.request_id) is None:
                left.append(receipt)
        # A receipt may belong to a job that an earlier recovery made unconfirmed before it died.
        return Settled(unconfirmed=max(0, unconfirmed - attached), attached=attached, left=tuple(left))

    @reads
    def unknown(self, connection: Connection, records: Sequence[SubmitRecord]) -> list[SubmitRecord]:
        """Those of some submits that were or may have been accepted, and that no attempt stands for."""
        attempts = _attempts(connection, [record.uid for record in records])
        missing = [record for record in records if record.uid not in attempts and not record.is_free]
        return [record for record in missing if not _has_receipt(connection, record)]


def _note(connection: Connection, name: str, **values: str) -> None:
    known = update(SETTLED_JOURNAL).where(SETTLED_JOURNAL.c.name == name)
    changed = connection.execute(known.values(values))
    if changed.rowcount == 0:
        connection.execute(insert(SETTLED_JOURNAL).values({"name": name, "stamp": "", **values}))


def _settled_to(told: str | None) -> SettledTo:
    """What was noted; nothing where somebody else wrote it."""
    try:
        end, *places = (int(place) for place in json.loads(told or "[0]"))
    except (ValueError, TypeError, OverflowError):
        return NOTHING_SETTLED
    if all(0 <= place < _LONGEST for place in (end, *places)):
        return SettledTo(end, tuple(places))
    return NOTHING_SETTLED


def _is_of(connection: Connection, batch_id: int, receipt: Receipt) -> bool:
    """Whether the receipt belongs to this batch's job: in a new database the ids start again.

    By the attempt's own name, where the receipt has it: a row with another key may have taken the job.
    """
    outcome = receipt.outcome
    its_attempt = exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.uid == outcome.uid)
    is_known = JOB.c.key == receipt.key if outcome.uid is None else its_attempt
    found = connection.execute(
        select(JOB.c.id).where(JOB.c.id == outcome.job_id, JOB.c.batch_id == batch_id, is_known)
    )
    return found.first() is not None


def _attempts(connection: Connection, uids: Sequence[str]) -> dict[str, Any]:
    found = connection.execute(
        select(
            ATTEMPT.c.id,
            ATTEMPT.c.uid,
            ATTEMPT.c.job_id,
            ATTEMPT.c.outcome,
            ATTEMPT.c.request_id,
            ATTEMPT.c.named_id,
            JOB.c.state,
        )
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(ATTEMPT.c.uid.in_(uids))
    )
    return {row.uid: row for row in found}


def _complete(
    connection: Connection, attempt: Any, record: SubmitRecord, healed: Healed, now: datetime
) -> None:
    """Tell the table how a submit ended that it knows: the process died, or the disk was full, in between."""
    if record.receipt is not None and attempt.request_id is None:
        job_id, receipt, uid = attempt.job_id, record.receipt, record.uid
        discarded = attempt.outcome == SubmitOutcome.DISCARDED
        kind = Attached if discarded else Accepted
        if moves.apply(connection, kind(job_id, receipt, now, uid)):
            healed.completed.append(record)
        elif not _has_receipt(connection, record):
            healed.unmatched.append(record)
    elif record.named_id is not None and attempt.named_id is None and attempt.outcome in UNDECIDED:
        named = update(ATTEMPT).where(ATTEMPT.c.id == attempt.id).values(named_id=record.named_id)
        connection.execute(named)
    elif record.is_free and attempt.outcome in UNDECIDED:
        told = "The journal has it: it was surely not accepted."
        moves.apply(connection, NotAccepted(attempt.job_id, now, now, told))


def _put_back(
    connection: Connection, origin: str, record: SubmitRecord, healed: Healed, now: datetime
) -> None:
    """Give a submit that the table does not know to the row that asked for it."""
    if _has_receipt(connection, record):
        return
    row = _row_of(connection, origin, record)
    if row is None:
        healed.unmatched.append(record)
        return
    if row.state in _MAY_BE_SENT_AGAIN:
        _applied(connection, Requeued(row.id, now))
    claimed = Claimed(row.id, record.uid, record.payload_sha256, record.at, record.estimate_usd)
    intents.put_back(connection, claimed, _as_sent(row.inputs, record.seed))
    if record.receipt is not None:
        _applied(connection, Accepted(row.id, record.receipt, now, record.uid))
        healed.found.append(record)
    else:
        _applied(connection, LeftUnconfirmed(row.id, _FORGOTTEN, now, record.named_id))
        healed.doubtful.append(record)


def _applied(connection: Connection, outcome: Outcome) -> None:
    assert moves.apply(connection, outcome), outcome


def _row_of(connection: Connection, origin: str, record: SubmitRecord) -> Any | None:
    """The row that a submit was for: by batch, key and fingerprint; else one like it that was never sent."""
    same_batch = BATCH.c.name == record.batch
    alike = (
        select(JOB.c.id, JOB.c.state, JOB.c.inputs)
        .join(BATCH, BATCH.c.id == JOB.c.batch_id)
        .where(BATCH.c.origin == origin, JOB.c.fingerprint == record.fingerprint)
        .limit(1)
    )
    itself = alike.where(
        same_batch, JOB.c.key == record.key, JOB.c.state.in_([JobState.QUEUED, *_MAY_BE_SENT_AGAIN])
    ).order_by(JOB.c.state != JobState.QUEUED, JOB.c.current.desc(), JOB.c.revision.desc())
    row = (connection.execute(itself)).one_or_none()
    if row is not None:
        return row
    unsent = alike.where(JOB.c.state == JobState.QUEUED, JOB.c.attempts == 0).order_by(
        case((same_batch, 0), else_=1), JOB.c.current.desc(), JOB.c.position, JOB.c.id
    )
    return (connection.execute(unsent)).one_or_none()


def _as_sent(inputs: str, seed: int | None) -> str:
    """The row's inputs with the seed that was sent: the fingerprint does not tell one that was drawn."""
    told = json.loads(inputs)
    return inputs if seed is None or told.get("seed", seed) == seed else payload({**told, "seed": seed})


def _has_receipt(connection: Connection, record: SubmitRecord) -> bool:
    """Whether an attempt of another name has its request_id: a person attached it, say."""
    return record.receipt is not None and holder_of(connection, record.receipt) is not None
