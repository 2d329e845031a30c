"""Guards against burning through a sheet: a problem that affects more than single rows pauses the batch.

They count this run's jobs only, not those that an earlier run sent. Each limit is a setting; 0 turns it off.
"""

from collections.abc import Set
from dataclasses import dataclass

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from runner.limits.brake import Brake


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """The limits at which a run pauses by itself."""

    failures_in_a_row: int = 20
    """Failures of one kind, with no success in between."""
    unconfirmed: int = 20
    unconfirmed_percent: float = 2.0
    """The same limit as a percentage of the batch; the higher of the two applies."""
    canary: int = 3
    """Jobs that go first, alone."""
    canary_above: int = 1000
    """Canaries go first only in batches of more jobs than this."""


class Guards:
    """The guards of one run.

    `total` is the number of jobs in the batch. `proven`: one of them has succeeded before. `recovered` are
    the ids of jobs that an earlier run sent.
    """

    def __init__(
        self,
        limits: GuardLimits,
        brake: Brake,
        *,
        total: int,
        proven: bool,
        recovered: Set[int] = frozenset(),
    ) -> None:
        self._limits = limits
        self._brake = brake
        self._recovered = recovered
        self._unconfirmed_allowed = max(limits.unconfirmed, int(total * limits.unconfirmed_percent / 100))
        self._kind: FailureKind | None = None
        self._in_a_row = 0
        self._at_submit = False
        self._unconfirmed = 0
        big = total > limits.canary_above and not proven
        self._canaries = limits.canary if big else 0
        self._sent = 0
        self._canaries_ended = 0

    # -- the canary: the first jobs alone ----------------------------------------------------------------

    @property
    def holds_back(self) -> bool:
        """Whether queued jobs have to wait for the canaries."""
        return 0 < self._canaries <= self._sent

    def sent(self) -> None:
        """Count a queued job that is handed to a worker."""
        self._sent += 1

    def _canary_ended(self) -> None:
        self._canaries_ended += 1
        if self._canaries and self._canaries_ended >= self._canaries:
            self._brake.pause(
                PauseReason.GUARD,
                f"None of the first {self._canaries} jobs succeeded. The others were not sent.",
            )

    # -- outcomes of jobs --------------------------------------------------------------------------------

    def accepted(self) -> None:
        """Note an accepted submit: the API does not refuse everything."""
        if self._at_submit:
            self._kind, self._in_a_row = None, 0

    def succeeded(self) -> None:
        """Note a job that succeeded. It ends every streak and frees the jobs behind the canaries."""
        self._kind, self._in_a_row = None, 0
        self._canaries = 0

    def failed(self, job_id: int, kind: FailureKind, *, at_submit: bool = False) -> None:
        """Count a job that ended without its images. `at_submit`: it was never accepted."""
        if job_id in self._recovered:
            return
        same = (kind, at_submit) == (self._kind, self._at_submit)
        self._in_a_row = self._in_a_row + 1 if same else 1
        self._kind, self._at_submit = kind, at_submit
        limit = self._limits.failures_in_a_row
        if limit and self._in_a_row >= limit:
            self._brake.pause(PauseReason.GUARD, f"{self._in_a_row} jobs in a row ended as {kind}.")
        self._canary_ended()

    def unconfirmed(self) -> None:
        """Count an unconfirmed submit."""
        self._unconfirmed += 1
        if self._limits.unconfirmed and self._unconfirmed > self._unconfirmed_allowed:
            self._brake.pause(
                PauseReason.GUARD, f"{self._unconfirmed} submits of this run got no readable answer."
            )
        self._canary_ended()
