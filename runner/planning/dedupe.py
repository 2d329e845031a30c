"""Identical jobs: with `--dedupe` one of them is sent, and the others share its result."""

from collections.abc import Callable, Container, Sequence

from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import Alike, BatchView
from runner.planning.selection import SelectedJobs

_BEST_FIRST = (
    *(JobState.SUCCEEDED, JobState.FETCHING, JobState.RUNNING),
    *(JobState.UNCONFIRMED, JobState.SUBMITTING, JobState.QUEUED),
)
"""Whose result the others share: a finished job's, or else that of the job nearest to finishing."""

Link = tuple[Alike, Alike]
"""A job that is not sent, and the job whose result it shares."""


def links_among(kinds: Sequence[Sequence[Alike]], within: Container[int] | None = None) -> list[Link]:
    """Which job waits for which, among groups of identical jobs.

    A job that was ever submitted is never linked; the unsent jobs of its group wait for it. With `within`,
    only these jobs are linked, to each other or to a job sent before: no job waits for one that the run
    leaves out.
    """
    links = []
    for kind in kinds:
        here = [job for job in kind if within is None or job.state is not JobState.QUEUED or job.id in within]
        if here:
            first = min(here, key=lambda job: (_BEST_FIRST.index(job.state), job.unsent))
            links += [(job, first) for job in here if job.unsent and job is not first]
    return links


async def dedupe(
    store: Store, batch: BatchView, selected: SelectedJobs | None, notice: Callable[[str], None]
) -> None:
    """Link the identical jobs of a batch with `dedupe`; without it, unlink those that still wait.

    Linked jobs are removed from `selected`.
    """
    if not batch.dedupe:
        if many := await store.links.unlink(batch.id):
            notice(f"No longer waiting for another's result, and to be paid: {many:,} of the jobs.")
        return
    within = None if selected is None else frozenset(selected.ids)
    links = links_among(await store.links.alike(batch.id), within)
    if not links:
        return
    await store.links.link([(job.id, twin.id) for job, twin in links])
    await store.links.settle(batch.id)
    if selected is not None:
        selected.leave_out([job for job, _twin in links])
    notice(_linked_notice(len(links)))


def _linked_notice(many: int) -> str:
    if many == 1:
        return "1 job is identical to another: it gets the same pictures, and is not paid for."
    return f"{many:,} jobs are identical to others: they get the same pictures, and are not paid for."
