"""Decodes proven images while the run has nothing better to do, and notes at its job what does not decode.

Their thumbnails are made on the way, and those of all other images: nobody waits for one, so a night is never
slower for them, and their file may refuse whatever it likes.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import anyio
from anyio import to_thread

from jobs.errors import CannotWrite
from runner.downloads.disk import describe_disk
from runner.downloads.late_decode import FreshImage, LateDecoder, set_aside
from runner.downloads.spare_time import SpareTime
from runner.downloads.validate import Broken
from runner.limits.brake import Reach
from runner.workers.context import Context, Defect

LAST_SECONDS = 5.0
"""After the last download: what is not decoded by then is not decoded."""

_PAUSE_SECONDS = 0.5
_NOTE = "came as the API made it, and is no whole picture"


def is_note(warning: str) -> bool:
    """Whether a job's warning is of a late decode: about images that are gone, so not about fresh ones."""
    return _NOTE in warning


@asynccontextmanager
async def decoding_late(run: Context, defect: Defect) -> AsyncIterator[None]:
    """Decode beside the block. What waits at its end is decoded for a few seconds more, unless a person or a
    pause ends the run."""
    ended = anyio.Event()

    async def decode() -> None:
        await decode_late(run, defect)
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decode)
        yield
        run.images.late.close()
        with run.limits.brake.guarding(Reach.SUBMITS), anyio.move_on_after(LAST_SECONDS):
            await ended.wait()
        tasks.cancel_scope.cancel()


async def decode_late(run: Context, defect: Defect) -> None:
    """Decode what waits, one at a time, until no more will come."""
    with LateDecoder(run.images.thumbs) as decoder:
        spare = SpareTime(run.time.clock, lambda: decoder.seconds)
        async with aclosing(run.images.late.each()) as images:
            async for image in images:
                await _pause(run, spare)
                await _decode(run, decoder, image, defect)


async def _pause(run: Context, spare: SpareTime) -> None:
    """Wait until no download waits, no submit but for those of `--rate`, and time is left over.

    Once the last picture is here, it is.
    """
    while (
        run.images.ready.statistics().current_buffer_used
        or (run.queue.pending.jobs and not run.limits.throttle.rate)
        or not (run.images.late.is_closed or spare.is_left())
    ):
        await run.time.clock.sleep(_PAUSE_SECONDS)


async def _decode(run: Context, decoder: LateDecoder, image: FreshImage, defect: Defect) -> None:
    try:
        small = not run.images.late.is_closed  # the end of a run waits for no thumbnail
        found = await decoder.look(image, run.images.downloads.limits.max_pixels, small=small)
        if found is not None:
            with anyio.CancelScope(shield=True):  # its new name and the note of it belong together
                await _note(run, image, found)
    except CannotWrite as error:
        run.limits.brake.pause(error.pause, error.message)
    except Exception as error:  # of one image: reported, never silent
        defect(image.key, error)


async def _note(run: Context, image: FreshImage, found: Broken) -> None:
    try:
        aside = await to_thread.run_sync(set_aside, run.images.downloads.disk, image)
    except OSError as error:
        run.notice(f"Job {image.key!r}: {describe_disk(error, image.path).reason}.")
        return
    if aside is None:
        return
    warning = (
        f"Picture {image.number} {_NOTE}: {found.reason}. It is kept as {aside.name}; "
        "`nightsheet retry` fetches it again, which is free."
    )
    await run.store.ledger.warn(image.job_id, warning)
    run.notice(f"Job {image.key!r}: {warning}")
