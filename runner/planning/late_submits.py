"""Submits in doubt that may still arrive at the API: their runner was lost, and may only be asleep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.store.runners import lease
from runner.humanize import duration

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import JobView


def latest_arrival(submit_timeout: float) -> float:
    """So many seconds after its runner was taken for dead, a submit arrives no more.

    It leaves in its window or not at all, and what is stopped as its bytes leave meets a closed connection.
    """
    return lease.SEND_WINDOW_SECONDS + submit_timeout + lease.LATEST_ARRIVAL_SECONDS


async def late_submits(
    store: "Store", jobs: "Sequence[JobView] | None", submit_timeout: float
) -> dict[int, float]:
    """Those whose submit may still arrive, of some jobs or of all, by id, with the seconds left.

    Over a file there is none.
    """
    if store.database.membership is None or jobs == []:
        return {}
    ids = None if jobs is None else [job.id for job in jobs]
    return await store.runners.wait_for_late(ids, latest_arrival(submit_timeout))


def why_not_yet(seconds: float) -> str:
    """What to tell of one that a person wants to have sent again."""
    return (
        "its runner was lost and may only be asleep: the submit may still arrive, and both would be paid "
        f"for. Try again in {duration(seconds)}"
    )
