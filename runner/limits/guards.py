"""Guards against burning through a sheet: trouble that is not one row's own pauses the batch.

Counted in this run alone, and not over what recovery found. Each is a setting; zero turns it off.
"""

from collections.abc import Set
from dataclasses import dataclass

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from runner.limits.brake import Brake


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """When a run stops by itself."""

    failures_in_a_row: int = 20
    """Of one kind, with no success in between."""
    unconfirmed: int = 20
    unconfirmed_percent: float = 2.0
    """Of the batch; the higher of the two counts."""
    canary: int = 3
    """Jobs that go first, alone."""
    canary_above: int = 1000
    """Only for batches of more jobs than this."""


class Guards:
    """One a run.

    `total` is the batch's number of jobs, `proven` whether one of them has succeeded before; `recovered` are
    the jobs that an earlier run had sent.
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
        """Whether the next queued job has to wait for the first ones."""
        return 0 < self._canaries <= self._sent

    def sent(self) -> None:
        """A queued job was handed to a worker."""
        self._sent += 1

    def _canary_ended(self) -> None:
        self._canaries_ended += 1
        if self._canaries and self._canaries_ended >= self._canaries:
            self._brake.pause(
                PauseReason.GUARD,
                f"None of the first {self._canaries} jobs succeeded. The others were not sent.",
            )

    # -- what came of jobs -------------------------------------------------------------------------------

    def accepted(self) -> None:
        """The API took a submit: it does not refuse everything."""
        if self._at_submit:
            self._kind, self._in_a_row = None, 0

    def succeeded(self) -> None:
        """A job came home."""
        self._kind, self._in_a_row = None, 0
        self._canaries = 0

    def failed(self, job_id: int, kind: FailureKind, *, at_submit: bool = False) -> None:
        """A job ended without its pictures; `at_submit`, because it was not accepted."""
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
        """A submit went without a readable answer."""
        self._unconfirmed += 1
        if self._limits.unconfirmed and self._unconfirmed > self._unconfirmed_allowed:
            self._brake.pause(
                PauseReason.GUARD, f"{self._unconfirmed} submits of this run got no readable answer."
            )
        self._canary_ended()
