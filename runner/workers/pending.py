"""Jobs that a worker holds and that wait to be sent: for money, for their turn, or for a busy API."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class PendingSubmits:
    """The jobs of a run that wait to be sent. A job that is cancelled meanwhile stops waiting at once."""

    def __init__(self) -> None:
        self._scopes: dict[int, anyio.CancelScope] = {}

    @property
    def jobs(self) -> tuple[int, ...]:
        """The ids of the jobs that wait now."""
        return tuple(self._scopes)

    @contextmanager
    def until_ended(self, job_id: int) -> Iterator[anyio.CancelScope]:
        """Cancel the block when `end` is called. A submit is never inside: it must not be cut off."""
        with anyio.CancelScope() as scope:
            self._scopes[job_id] = scope
            try:
                yield scope
            finally:
                del self._scopes[job_id]

    def end(self, job_id: int) -> None:
        """End the job's wait, if it waits: it is not to be sent any more."""
        if job_id in self._scopes:
            self._scopes[job_id].cancel()
