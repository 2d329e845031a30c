"""The intent to submit: on disk twice before the POST leaves, and taken back where it does not leave."""

import hashlib
from contextlib import suppress
from datetime import datetime

from jobs.admission import NotAdmitted
from jobs.attempts import Intent
from jobs.errors import CannotWrite
from jobs.outcomes import Claimed, NotAccepted
from jobs.submit_record import Answered, SubmitEnd
from jobs.views import QueuedJob
from runner.workers.context import Context, must
from runner.workers.edge.journaling import record_of


async def put_down(run: Context, job: QueuedJob, claimed: Claimed) -> Intent | NotAdmitted | None:
    """Have the intent on disk twice before the POST leaves: in the table, then in the journal.

    So a submit in the journal that the table does not know proves that the table went back in time. None: the
    job was cancelled, or removed from the sheet, since it was read. The account's limits may not let it go.

    Raises:
        CannotWrite: one of them refuses, or the database's files were replaced. Nothing was sent.
    """
    run.files.look()
    run.probe("before intent")
    intent = await run.store.jobs.claim(claimed, run.limits.account.terms(run.limits.budget.limit))
    run.limits.account.told(job.id, intent)
    if not isinstance(intent, Intent):
        return intent
    run.probe("after intent")
    try:
        await run.journal.sent(record_of(run.batch, job, claimed))
    except CannotWrite:
        with suppress(CannotWrite):  # then it is in doubt, and the next run says so
            await take_back(run, job, claimed.uid)
        raise
    run.probe("after journal")
    return intent


async def take_back(run: Context, job: QueuedJob, uid: str) -> None:
    """Undo the intent of a submit that did not leave."""
    now = run.time.clock.now()
    run.journal.ended(uid, SubmitEnd(Answered.NOT_SENT, now))
    must(run, await run.store.jobs.apply(NotAccepted(job.id, now, now, uid=uid)), job.key)
    run.journal.settle(uid)


def new_uid(run: Context, job: QueuedJob, now: datetime) -> str:
    """A name for an attempt. Job and time keep two runs apart whose chance is the same, as in a rehearsal."""
    chance = run.time.rng.getrandbits(128)
    return hashlib.sha256(f"{chance} {job.id} {now.isoformat()}".encode()).hexdigest()[:32]
