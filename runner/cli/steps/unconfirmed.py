"""The unconfirmed jobs of a batch, and the names by which a person may speak of them.

A row that was changed while its submit was in doubt has two revisions under one key: KEY@REVISION names one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from jobs.views import JobView


class UnconfirmedJobs:
    """What `review` is about."""

    def __init__(self, batch: str, jobs: Sequence["JobView"]) -> None:
        self.jobs = tuple(jobs)
        self._batch = batch
        self._revisions = Counter(job.key for job in jobs)

    def name(self, job: "JobView") -> str:
        """Its key, with its revision where the key alone would not tell it from another."""
        return _exactly(job) if self._revisions[job.key] > 1 else job.key

    def one(self, text: str) -> "JobView":
        """The job that is meant.

        Raises:
            UsageProblem: none of them is called that, or several are.
        """
        found = self._fitting(text)
        if len(found) > 1:
            raise UsageProblem(
                f"Job {text!r} is unconfirmed in several revisions. Nothing was changed.",
                hint=f"Name the one that you mean: {', '.join(map(_exactly, found))}.",
            )
        return found[0]

    def to_send(self, text: str) -> list["JobView"]:
        """The job that is meant to be sent again: of several revisions the one that the sheet has.

        Raises:
            UsageProblem: none of them is called that.
        """
        found = self._fitting(text)
        return [job for job in found if job.current] or found

    def _fitting(self, text: str) -> list["JobView"]:
        found = [job for job in self.jobs if text in (job.key, _exactly(job))]
        if not found:
            known = ", ".join(map(self.name, self.jobs)) or "none is"
            raise UsageProblem(
                f"Job {text!r} of batch {self._batch!r} is not unconfirmed. Nothing was changed.",
                hint=f"Unconfirmed: {known}.",
            )
        return found


def _exactly(job: "JobView") -> str:
    return f"{job.key}@{job.revision}"
