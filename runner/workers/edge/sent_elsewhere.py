"""Two databases run the same sheet at the same time: what the one sends, the other one does not.

Each has its intent in its journal before it looks into the journals of the others. So of two that are about
to send the same at the same instant, one at least sees the other, and does not send.
"""

from collections.abc import Callable
from pathlib import Path

from jobs.compact_set import CompactSet
from jobs.paid import telling
from jobs.store.store import Store
from jobs.views import BatchView, QueuedJob
from runner.clock import Clock
from runner.planning.paid_words import HINT
from runner.recovery.elsewhere import PaidByJournals


class SentElsewhere:
    """What other databases have sent since this run began. `of_origin` has their folders."""

    def __init__(self, journals: PaidByJournals, of_origin: Path) -> None:
        self._journals = journals
        self._of_origin = of_origin
        self._news = CompactSet()
        self._is_told = False

    def has(self, job: QueuedJob) -> bool:
        """Whether what the job says is among it. A look takes microseconds a journal.

        Raises:
            CannotWrite: a journal cannot be read, or a later version wrote it.
        """
        self._journals.look(self._of_origin, self._news)
        return job.fingerprint.encode() in self._news and job.fingerprint in self._journals

    async def hold(
        self, store: Store, batch: BatchView, job: QueuedJob, clock: Clock, notice: Callable[[str], None]
    ) -> None:
        """Hold the job, which is queued again, and all others that were sent there meanwhile.

        Consent does not outlast a payment that is later than the table's last look. The time of this submit
        is taken for that, whatever clock it was written by.
        """
        submit = telling(self._journals.get(job.fingerprint, ()))
        if submit is None:  # it did not leave there
            return
        now = clock.now()
        await store.held.hold(batch.id, {}, submit.at)
        await store.held.hold(batch.id, self._journals, now)
        if not self._is_told:
            self._is_told = True
            notice(
                f"Another database sends the same at this time: row {job.key!r} was sent under batch "
                f"{submit.batch} ({submit.database}), and is held here. So is what else it sends. {HINT}"
            )
