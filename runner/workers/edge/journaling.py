"""What the journal is told of a submit: what was sent, and what came of it."""

import json
from contextlib import suppress
from datetime import datetime

from jobs.outcomes import Claimed
from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from jobs.views import BatchView, QueuedJob
from runner.providers.base import Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.workers.context import Context


def record_of(batch: BatchView, job: QueuedJob, claimed: Claimed) -> SubmitRecord:
    """The submit of a job, before it leaves."""
    seed = json.loads(job.inputs).get("seed")
    return SubmitRecord(
        uid=claimed.uid,
        fingerprint=job.fingerprint,
        batch=batch.name,
        key=job.key,
        payload_sha256=claimed.payload_sha256,
        at=claimed.at,
        seed=seed if isinstance(seed, int) else None,
        estimate_usd=claimed.estimate_usd,
    )


def end_of(verdict: SubmitVerdict, at: datetime) -> SubmitEnd | None:
    """What came of a submit; None where it is in doubt, and nothing more is known of it."""
    match verdict:
        case Taken(request_id=request_id):
            return SubmitEnd(Answered.ACCEPTED, at, request_id)
        case TurnedAway(busy=False):
            return SubmitEnd(Answered.NOT_SENT, at)
        case TurnedAway() | Stopped():
            return SubmitEnd(Answered.TURNED_AWAY, at)
        case Denied():
            return SubmitEnd(Answered.REFUSED, at)
        case Unconfirmed(named_id=str(named_id)):
            return SubmitEnd(Answered.NAMED, at, named_id)
        case Unconfirmed():
            return None


async def settle_journal(run: Context, after: int = 0) -> None:
    """Have the table note how far it agrees with the journal, so that no later start reads all of it.

    Not before so many submits were settled since the last time.

    Raises:
        CannotWrite: the table refuses.
    """
    if run.journal.settled > after and (settled := await run.journal.settled_to()) is not None:
        run.journal.settled = 0
        await run.store.witness.settle_journal_to(*settled)


async def keep_receipt(run: Context, job: QueuedJob, uid: str, verdict: Taken) -> None:
    """Keep a receipt that the table refuses: in the journal, and in front of whoever looks on."""
    kept = "Even the journal cannot be written: keep this line."
    with suppress(OSError):
        await run.journal.keep(uid, SubmitEnd(Answered.ACCEPTED, run.time.clock.now(), verdict.request_id))
        kept = "The journal has it, and the next run takes it up."
    run.notice(f"Job {job.key!r} was accepted as {verdict.request_id}, but the database refuses. {kept}")
