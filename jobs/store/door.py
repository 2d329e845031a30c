"""The store's door: one method a need, each a durable write or a consistent read."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.errors import NightsheetError, UsageProblem
from jobs.failures import Failure
from jobs.outcomes import Claimed, Outcome
from jobs.pauses import PauseReason
from jobs.problems import Problem
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store import batches, controls, counting, loading, moves, reading, references
from jobs.store.database import Database
from jobs.store.foresight import Foresight
from jobs.store.sharing import Sharing
from jobs.views import (
    FRONT,
    Account,
    ArtifactView,
    AttemptView,
    BatchView,
    Cancelling,
    JobView,
    LoadReport,
    OpenJob,
    Place,
    QueuedJob,
    Receipt,
    ReferenceView,
    RunView,
    Settled,
)

_PAGE = 500


class Store(Sharing, Foresight):
    """What the rest of the project may ask of the job table. `now` is the wall clock."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self.database = database
        self._now = now

    # -- moves -------------------------------------------------------------------------------------------

    async def claim(self, claimed: Claimed) -> int | None:
        """Commit the intent to submit; the attempt's id, or None if the job is not to be sent any more."""
        return await self.database.write(lambda c: moves.claim(c, claimed))

    async def apply(self, *outcomes: Outcome) -> bool:
        """Apply outcomes, all or none; False if one of the jobs is not where its move starts."""
        return await self.database.write(lambda c: moves.apply_all(c, outcomes))

    async def record_image(self, job_id: int, attempt_id: int, picture: ArtifactView) -> None:
        """Note a picture that is on disk under its final name."""
        await self.database.write(lambda c: moves.record_image(c, job_id, attempt_id, picture))

    async def settle_interrupted(
        self, batch_id: int, failure: Failure, receipts: Sequence[Receipt] = ()
    ) -> Settled:
        """Turn every `submitting` job found at start into an `unconfirmed` one, or a `running` one where its
        receipt was kept elsewhere."""
        return await self.database.write(
            lambda c: controls.settle_interrupted(c, batch_id, failure, receipts)
        )

    async def cancel(self, batch_id: int, keys: Sequence[str] | None = None) -> Cancelling:
        """Cancel what is queued, and note the wish for what is at the API, or on its way to it.

        Only `keys`, if given. What is on its way and surely not accepted is cancelled by that move.
        """
        now = self._now()
        return await self.database.write(lambda c: controls.cancel(c, batch_id, now, keys))

    async def prune(self, batch_id: int) -> int:
        """Note the wish to cancel what the API has and the sheet has no more; how many jobs that are."""
        return await self.database.write(lambda c: controls.prune(c, batch_id))

    async def drop_cancel_request(self, job_id: int) -> None:
        """The API would not cancel it: it runs on, and is fetched later."""
        await self.database.write(lambda c: controls.drop_cancel_request(c, job_id))

    async def warn(self, job_id: int, warnings: Sequence[str]) -> None:
        """Replace a job's warnings."""
        await self.database.write(lambda c: controls.warn(c, job_id, warnings))

    # -- sheets and batches ------------------------------------------------------------------------------

    async def load(
        self,
        *,
        name: str,
        sheet: Path | str,
        origin: str,
        planned: Iterable[PlannedJob | Problem],
        is_copy: bool = False,
        dedupe: bool | None = None,
    ) -> tuple[BatchView, LoadReport]:
        """Load a sheet, in one transaction, into the batch `name`, made if it is new.

        A copy of the batch's own sheet, with its results, may lie anywhere. What is said of `dedupe` is kept
        with the sheet, so that a run that is killed here leaves no jobs to be paid that were not to be.

        Raises:
            UsageProblem: the batch belongs to another sheet, which is still there, or to another API origin.
            SheetProblems: the sheet has problems; nothing is loaded.
        """
        now = self._now()
        known = await self.database.read(lambda c: batches.find(c, name))
        moved = known is not None and await batches.has_moved(known.sheet, str(sheet))

        async def run(connection: AsyncConnection) -> tuple[BatchView, LoadReport]:
            batch = await batches.find(connection, name)
            if batch is None:
                batch = await batches.create(connection, name=name, sheet=str(sheet), origin=origin, now=now)
            if batch.sheet != str(sheet) and moved:
                await batches.move_sheet(connection, batch.id, str(sheet))
            elif batch.sheet != str(sheet) and not is_copy:
                raise UsageProblem(
                    f"The batch {name!r} was loaded from {batch.sheet}, not from {sheet}.",
                    hint="Give this sheet a batch of its own with --batch NAME.",
                )
            check_origin(batch, origin)
            if dedupe is not None:
                await batches.set_dedupe(connection, batch.id, dedupe)
            report = await loading.load(connection, batch.id, planned, now)
            return await batches.get(connection, batch.id), report

        return await self.database.write_once(run)  # a sheet is a stream: it can be read once

    async def batch(self, name: str | None) -> BatchView:
        """The batch of that name, or the one last run.

        Raises:
            UsageProblem: there is none.
        """

        async def find(connection: AsyncConnection) -> tuple[BatchView | None, list[str]]:
            if name is None:
                return await batches.last_run(connection), []
            return await batches.find(connection, name), await batches.names(connection)

        found, names = await self.database.read(find)
        if found is not None:
            return found
        if name is None:
            raise UsageProblem(
                "There is no batch in this database yet.", hint="Load one: nightsheet run SHEET"
            )
        known = ", ".join(names) or "none"
        raise UsageProblem(f"There is no batch {name!r}.", hint=f"This database has: {known}.")

    async def refresh(self, batch_id: int) -> BatchView:
        """The batch as it stands now."""
        return await self.database.read(lambda c: batches.get(c, batch_id))

    async def find_batch(self, name: str) -> BatchView | None:
        """The batch of that name, if there is one."""
        return await self.database.read(lambda c: batches.find(c, name))

    async def pause(self, batch_id: int, reason: PauseReason, detail: str) -> None:
        """Note that the batch stands still, and why."""
        now = self._now()
        await self.database.write(lambda c: batches.pause(c, batch_id, reason, detail, now))

    async def unpause(self, batch_id: int) -> None:
        """Clear a pause."""
        await self.database.write(lambda c: batches.unpause(c, batch_id))

    async def note_prices(self, batch_id: int, prices: Mapping[str, Decimal]) -> None:
        """Remember what a picture costs, in USD by model."""
        await self.database.write(lambda c: batches.note_prices(c, batch_id, prices))

    async def tune(self, batch_id: int, values: Mapping[str, Any]) -> None:
        """Set any of `concurrency`, `rate`, `budget`, for this run and the next ones."""
        await self.database.write(lambda c: batches.tune(c, batch_id, values))

    async def agree(self, batch_id: int, only: Sequence[int] | None = None) -> int:
        """A person agreed to pay for all that is queued; with `only`, for these jobs and for no others."""
        return await self.database.write(lambda c: batches.agree(c, batch_id, only))

    async def begin_run(self, batch_id: int, *, pid: int, host: str) -> int:
        """Note a process that begins to run the batch."""
        now = self._now()
        return await self.database.write(
            lambda c: batches.begin_run(c, batch_id, pid=pid, host=host, now=now)
        )

    async def end_run(self, run_id: int, exit_code: int) -> None:
        """Note how a run ended."""
        now = self._now()
        await self.database.write(lambda c: batches.end_run(c, run_id, exit_code, now))

    async def latest_run(self) -> RunView | None:
        """The run that began last."""
        return await self.database.read(batches.latest_run)

    # -- lists and counts --------------------------------------------------------------------------------

    async def counts(self, batch_id: int) -> dict[JobState, int]:
        """How many jobs of the sheet are in each state."""
        return await self.database.read(lambda c: counting.counts(c, batch_id))

    async def account(self, batch_id: int) -> Account:
        """What the batch has cost so far."""
        return await self.database.read(lambda c: counting.account(c, batch_id))

    async def counts_and_account(self, batch_id: int) -> tuple[dict[JobState, int], Account]:
        """Both of these, as they are at one moment."""

        async def read(connection: AsyncConnection) -> tuple[dict[JobState, int], Account]:
            return await counting.counts(connection, batch_id), await counting.account(connection, batch_id)

        return await self.database.read(read)

    async def doubtful_usd(self, batch_id: int) -> Decimal:
        """The most that submits without an answer may have cost."""
        return await self.database.read(lambda c: counting.doubtful_usd(c, batch_id))

    async def queued_pictures(self, batch_id: int) -> dict[str, tuple[int, int]]:
        """By model: queued jobs and their pictures at most."""
        return await self.database.read(lambda c: counting.queued_pictures(c, batch_id))

    async def unagreed(self, batch_id: int) -> dict[str, tuple[int, int]]:
        """By model: queued jobs that nobody agreed to pay for yet, and their pictures."""
        return await self.database.read(lambda c: counting.unagreed(c, batch_id))

    async def ended_since(self, batch_id: int, moment: datetime) -> int:
        """How many jobs of the sheet have come to an end since `moment`, other than by being cancelled."""
        return await self.database.read(lambda c: counting.ended_since(c, batch_id, moment))

    async def revisions(self, batch_id: int) -> list[tuple[int, str, int, bool]]:
        """Job, key, revision and whether the sheet has it, of all but the first revisions that it has."""
        return await self.database.read(lambda c: counting.revisions(c, batch_id))

    async def warned(self, batch_id: int) -> int:
        """Jobs that succeeded with a warning."""
        return await self.database.read(lambda c: counting.warned(c, batch_id))

    async def models_in_use(self, batch_id: int) -> list[str]:
        """The models of the batch's jobs."""
        return await self.database.read(lambda c: counting.models_in_use(c, batch_id))

    async def queued(
        self, batch_id: int, *, after: Place = FRONT, limit: int, now: datetime | None = None
    ) -> list[QueuedJob]:
        """Jobs that may be claimed now (or by the moment `now`), in their turn, beyond the place `after`."""
        moment = now or self._now()
        return await self.database.read(
            lambda c: reading.queued(c, batch_id, after=after, limit=limit, now=moment)
        )

    async def next_available(self, batch_id: int) -> datetime | None:
        """When the next queued job may be claimed; None if none is queued."""
        return await self.database.read(lambda c: reading.next_available(c, batch_id))

    async def open_jobs(self, batch_id: int, state: JobState) -> list[OpenJob]:
        """Jobs that the API has, oldest first."""
        return await self.database.read(lambda c: reading.open_jobs(c, batch_id, state))

    async def open_job(self, job_id: int) -> OpenJob | None:
        """The job, if the API has it."""
        return await self.database.read(lambda c: reading.open_job(c, job_id))

    async def images_of(self, attempt_id: int) -> dict[int, ArtifactView]:
        """What an attempt has brought home so far, by number."""
        return await self.database.read(lambda c: reading.images_of(c, attempt_id))

    async def places_of(self, sha256s: Sequence[str]) -> list[ReferenceView]:
        """Where pictures of this computer were seen that have these contents, the newest place first."""
        return await self.database.read(lambda c: references.places_of(c, sha256s))

    async def cancel_wanted(self, batch_id: int) -> list[int]:
        """Jobs at the API that a person wants cancelled there."""
        return await self.database.read(lambda c: reading.cancel_wanted(c, batch_id))

    async def those_in(self, state: JobState, job_ids: Sequence[int]) -> list[int]:
        """Those of these jobs that are in `state`."""
        return await self.database.read(lambda c: reading.those_in(c, state, job_ids))

    async def in_state(
        self, batch_id: int, states: Sequence[JobState], keys: Sequence[str] | None = None
    ) -> list[JobView]:
        """Jobs in any of `states`, in sheet order; only those of `keys`, if given."""
        return await self.database.read(lambda c: reading.in_state(c, batch_id, states, keys))

    async def by_key(self, batch_id: int, key: str) -> JobView | None:
        """The newest revision of a key."""
        return await self.database.read(lambda c: reading.by_key(c, batch_id, key))

    async def ledger(self, batch_id: int) -> list[AttemptView]:
        """Every attempt of the batch, oldest first."""
        return await self.database.read(lambda c: reading.ledger(c, batch_id))

    async def automatic_resubmits(self, batch_id: int) -> int:
        """How many doubtful submits a setting has had sent again so far."""
        return await self.database.read(lambda c: counting.automatic_resubmits(c, batch_id))

    async def holder_of(self, request_id: str) -> str | None:
        """The key of the job that has this request_id."""
        return await self.database.read(lambda c: reading.holder_of(c, request_id))

    async def jobs(
        self, batch_id: int, *, everything: bool = False, states: Sequence[JobState] = ()
    ) -> AsyncIterator[JobView]:
        """Jobs in sheet order, a page at a time; `everything` adds what the sheet no longer has."""
        after = (-1, 0)
        more = True
        while more:
            found = await self.database.read(
                partial(
                    reading.page,
                    batch_id=batch_id,
                    after=after,
                    limit=_PAGE,
                    everything=everything,
                    states=states,
                )
            )
            for _, view in found:
                yield view
            more = len(found) == _PAGE
            if more:
                after = found[-1][0]


def check_origin(batch: BatchView, origin: str) -> None:
    """A batch belongs to one API origin: its request_ids mean nothing elsewhere.

    Raises:
        UsageProblem: it belongs to another.
    """
    if batch.origin != origin:
        raise UsageProblem(
            f"The batch {batch.name!r} belongs to {batch.origin}, not to {origin}.",
            hint="Use the API it was begun with, or give the sheet another batch with --batch NAME.",
        )


def must(moved: bool, key: str) -> None:
    """A move that only this process may make, and that found the job elsewhere, is a defect: stop.

    Raises:
        NightsheetError: it did.
    """
    if not moved:
        raise NightsheetError(
            f"Job {key!r} changed under this run, which nothing but this run should do.",
            hint="Run `nightsheet status`, then `nightsheet resume`. Nothing was sent twice.",
        )


__all__ = ["Store", "check_origin", "must"]
