"""A person's pause, and the end of a pause that stands for no limit. `resume` ends every pause."""

from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.pauses import FREE_TO_END, PauseReason

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, Pause


async def pause(store: "Store", batch: "BatchView", detail: str) -> "Pause":
    """Pause a batch, and return the pause that the table has then, which may be an earlier one."""
    await store.batches.pause(batch.id, PauseReason.PERSON, detail)
    return await _paused(store, batch)


async def hold(store: "Store", batch: "BatchView", detail: str) -> "Pause":
    """The same for who may only end a pause that stands for no limit: one that does is not replaced."""
    await store.batches.hold(batch.id, detail)
    return await _paused(store, batch)


async def go_on(store: "Store", batch: "BatchView") -> None:
    """End a pause that stands for no limit. A runner goes on within a second.

    Raises:
        UsageProblem: it stands for one; nothing was changed.
    """
    await store.batches.end_free_pause(batch.id)
    left = (await store.batches.get(batch.id)).paused
    if left is not None and left.reason not in FREE_TO_END:
        raise UsageProblem(
            f"Batch {batch.name} is paused ({left.reason}), which only a command ends: {left.detail}"
        )


async def _paused(store: "Store", batch: "BatchView") -> "Pause":
    paused = (await store.batches.get(batch.id)).paused
    assert paused is not None
    return paused
