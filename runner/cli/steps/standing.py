"""Reads from the table how a batch stands, with the runner that is at work on it and the files on disk."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.disk.paths import folder_name
from jobs.images.stored import Whereabouts
from runner.cli.reports.status import BatchStatus
from runner.cli.reports.summary import FailureBreakdown
from runner.cli.steps.active_run import active_run
from runner.settings import Settings, as_kept
from runner.standing import jobs_a_minute, price_of_queued

if TYPE_CHECKING:
    from jobs.pauses import Wait
    from jobs.store.store import Store
    from jobs.views import BatchView

MOST_LOOKED_AT = 10_000
"""Images; `audit` looks at all of them."""


async def standing(
    store: "Store", batch_id: int, settings: Settings, now: datetime, *, files: bool = True
) -> BatchStatus:
    """How the batch stands; `files`: also whether its images are on disk."""
    batch = await store.batches.get(batch_id)
    kept = as_kept(settings, batch)
    queued = await store.preview.to_send(batch_id)
    run = await active_run(store, batch)
    counts, account = await store.jobs.counts_and_account(batch_id)
    queued_usd, is_price_unknown = price_of_queued(batch, queued)
    images = await store.overview.image_count(batch_id)
    return BatchStatus(
        batch=batch,
        counts=counts,
        account=account,
        queued_usd=queued_usd,
        unpriced=is_price_unknown,
        failures=await failure_breakdown(store, batch_id),
        is_active=run is not None,
        pace=await jobs_a_minute(store, batch, run, now),
        at=now,
        links=await store.links.count(batch_id),
        folder=kept.output_root / folder_name(batch.name),
        has_folder=kept.output_root.is_dir(),
        images=images,
        missing=await missing_images(store, batch, kept) if files and images <= MOST_LOOKED_AT else None,
        warned=await store.jobs.warned(batch_id),
        held=await store.held.count(batch_id),
        waiting=None if run is None else await _waiting(store),
        since=None if run is None else run.started_at,
        shared=await store.accounts.of_batch(batch_id),
    )


async def _waiting(store: "Store") -> "Wait | None":
    from runner.recovery.hold import waiting_now  # only where a runner may wait

    return await waiting_now(store)


async def failure_breakdown(store: "Store", batch_id: int) -> FailureBreakdown:
    """Why jobs failed, and what unconfirmed submits may have cost."""
    failures = await store.overview.failures(batch_id)
    return FailureBreakdown(
        {kind: many for kind, (many, _) in failures.items()},
        await store.ledger.unconfirmed_usd(batch_id),
        {kind: linked for kind, (_, linked) in failures.items() if linked},
    )


async def missing_images(store: "Store", batch: "BatchView", settings: Settings) -> int:
    """How many images of the sheet's rows are neither at their places nor elsewhere in the output folder."""
    places = whereabouts(batch, settings)
    images = await store.overview.images(batch.id, limit=MOST_LOOKED_AT)
    await to_thread.run_sync(lambda: [places.of(image) for _, image in images])
    return places.missing


def whereabouts(batch: "BatchView", settings: Settings) -> Whereabouts:
    """Finds a batch's images, also where its output folder was moved and `--output-dir` says where to."""
    before = None if batch.output_root is None else Path(batch.output_root)
    return Whereabouts(as_kept(settings, batch).output_root, before)
