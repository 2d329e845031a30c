"""The unconfirmed jobs of a batch, and the names by which a person refers to them.

A row that was changed while its submit was unconfirmed has two revisions under one key; KEY@REVISION names
one of them.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.states import JobState

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView


class UnconfirmedJobs:
    """The jobs that `review` is about."""

    def __init__(self, batch: str, jobs: Sequence["JobView"]) -> None:
        self.jobs = tuple(jobs)
        self._batch = batch
        self._revisions = Counter(job.key for job in jobs)

    def name(self, job: "JobView") -> str:
        """The job's key, with its revision where several revisions share the key."""
        return _with_revision(job) if self._revisions[job.key] > 1 else job.key

    def one(self, text: str) -> "JobView":
        """The job of this name.

        Raises:
            UsageProblem: no job has this name, or several revisions have it.
        """
        found = self._named(text)
        if len(found) > 1:
            raise UsageProblem(
                f"Job {text!r} is unconfirmed in several revisions. Nothing was changed.",
                hint=f"Name the one that you mean: {', '.join(map(_with_revision, found))}.",
            )
        return found[0]

    def to_send(self, text: str) -> list["JobView"]:
        """The job of this name that can be sent again: of several revisions, the one that the sheet has.

        Raises:
            UsageProblem: no job has this name.
        """
        found = self._named(text)
        return [job for job in found if job.current] or found

    def _named(self, text: str) -> list["JobView"]:
        found = [job for job in self.jobs if text in (job.key, _with_revision(job))]
        if not found:
            known = ", ".join(map(self.name, self.jobs)) or "none is"
            raise UsageProblem(
                f"Job {text!r} of batch {self._batch!r} is not unconfirmed. Nothing was changed.",
                hint=f"Unconfirmed: {known}.",
            )
        return found


async def unconfirmed_jobs(store: "Store", batch: "BatchView") -> UnconfirmedJobs:
    """The unconfirmed jobs of a batch, those included whose rows have left the sheet."""
    found = store.jobs.each(batch.id, everything=True, states=[JobState.UNCONFIRMED])
    return UnconfirmedJobs(batch.name, [job async for job in found])


def _with_revision(job: "JobView") -> str:
    return f"{job.key}@{job.revision}"
