"""Jobs in hand that wait to be sent: for money, for their turn, or because the API is busy."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class PendingSubmits:
    """One a run. What is cancelled in the table meanwhile needs not wait to its end to find that out."""

    def __init__(self) -> None:
        self._scopes: dict[int, anyio.CancelScope] = {}

    @property
    def jobs(self) -> tuple[int, ...]:
        """Those that wait now."""
        return tuple(self._scopes)

    @contextmanager
    def until_ended(self, job_id: int) -> Iterator[anyio.CancelScope]:
        """A wait, cut off by `end`. A submit never stands inside: nothing of that is cut off."""
        with anyio.CancelScope() as scope:
            self._scopes[job_id] = scope
            try:
                yield scope
            finally:
                del self._scopes[job_id]

    def end(self, job_id: int) -> None:
        """The job is not to be sent any more, if it still waits."""
        if job_id in self._scopes:
            self._scopes[job_id].cancel()
