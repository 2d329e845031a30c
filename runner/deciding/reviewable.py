"""The jobs that `review` decides about, and the names by which a person refers to them.

A row that was changed while its submit was unconfirmed has two revisions under one key; KEY@REVISION names
one of them.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.failures import FailureKind
from jobs.states import JobState

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView


class UnconfirmedJobs:
    """The jobs that `review` is about: the unconfirmed ones.

    `ended` are those without pictures to which a request_id that a person found may be attached all the same.
    """

    def __init__(self, batch: str, jobs: Sequence["JobView"], ended: Sequence["JobView"] = ()) -> None:
        self.jobs = tuple(jobs)
        self.ended = tuple(ended)
        self._batch = batch
        self._revisions = Counter(job.key for job in (*jobs, *ended))

    def name(self, job: "JobView") -> str:
        """The job's key, with its revision where several revisions share the key."""
        return _with_revision(job) if self._revisions[job.key] > 1 else job.key

    def one(self, text: str) -> "JobView":
        """The job of this name.

        Raises:
            UsageProblem: no job has this name, or several revisions have it.
        """
        return self._only_one(text, self._named(text))

    def to_attach(self, text: str) -> "JobView":
        """The job of this name that may get a request_id: an unconfirmed one before one that has ended.

        Raises:
            UsageProblem: no job has this name, or several revisions have it.
        """
        return self._only_one(text, self._to_attach(text) or self._named(text))

    def has_to_attach(self, text: str) -> bool:
        """Whether a job of this name may get a request_id."""
        return bool(self._to_attach(text))

    def _to_attach(self, text: str) -> list["JobView"]:
        unconfirmed = [job for job in self.jobs if text in (job.key, _with_revision(job))]
        return unconfirmed or [job for job in self.ended if text in (job.key, _with_revision(job))]

    def _only_one(self, text: str, found: Sequence["JobView"]) -> "JobView":
        if len(found) > 1:
            raise UsageProblem(
                f"Job {text!r} has several revisions. Nothing was changed.",
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


async def unconfirmed_jobs(store: "Store", batch: "BatchView", *, attaching: bool = False) -> UnconfirmedJobs:
    """The unconfirmed jobs of a batch, those included whose rows have left the sheet.

    `attaching` adds those that have ended and may get a request_id.
    """
    found = store.jobs.each(batch.id, everything=True, states=[JobState.UNCONFIRMED])
    ended = store.jobs.each(batch.id, everything=True, states=[JobState.FAILED, JobState.CANCELLED])
    return UnconfirmedJobs(
        batch.name,
        [job async for job in found],
        [job async for job in ended if may_get_an_id(job)] if attaching else (),
    )


def may_get_an_id(job: "JobView") -> bool:
    """Whether a job that has ended without pictures may be at the API all the same.

    That is also one with an earlier submit that was or may have been accepted, whatever the newest came to.
    """
    earlier = job.attempts - (job.request_id is not None)
    return may_get_any_id(job) or earlier > 0


def may_get_any_id(job: "JobView") -> bool:
    """Whether a job that has ended may get an id that no submit of it had."""
    lost = job.failure is not None and job.failure.kind in {FailureKind.LOST, FailureKind.DISCARDED}
    return lost or job.state is JobState.CANCELLED


def _with_revision(job: "JobView") -> str:
    return f"{job.key}@{job.revision}"
