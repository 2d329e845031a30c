"""Jobs that send the same: with `--dedupe` one of them is sent, and the others get what it brings."""

from collections.abc import Callable, Container, Sequence

from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import Alike, BatchView
from runner.planning.selection import SelectedJobs

_BEST_FIRST = (
    *(JobState.SUCCEEDED, JobState.FETCHING, JobState.RUNNING),
    *(JobState.UNCONFIRMED, JobState.SUBMITTING, JobState.QUEUED),
)
"""Whose result the others get: one that is here, or else the one that is nearest to it."""

Link = tuple[Alike, Alike]
"""A job that is not sent, and the one whose result it gets."""


def links_among(kinds: Sequence[Sequence[Alike]], within: Container[int] | None = None) -> list[Link]:
    """Who waits for whom, of jobs that say the same, each kind in its turn.

    What was ever submitted itself is not linked: of what is queued, the others wait for that. With `within`,
    only these are, and to each other or to what was sent before: what a run leaves out is not waited for.
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
    """Link what says the same, or end that again where the batch wants it no more.

    What is linked leaves `chosen`.
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
        return "1 job says what another says: it gets the same pictures, and is not paid."
    return f"{many:,} jobs say what others say: they get the same pictures, and are not paid."
