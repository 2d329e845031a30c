"""The report of a run: its counts, its money and its exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import Account, Pause

INTERRUPTED = 130

_PAUSED: dict[PauseReason, int] = {
    PauseReason.TOKEN: 77,
    PauseReason.BALANCE: 75,
    PauseReason.BUDGET: 75,
    PauseReason.GUARD: 75,
    PauseReason.PERSON: 75,
    PauseReason.OUTAGE: 69,
    PauseReason.DISK: 73,
}


@dataclass(frozen=True, slots=True)
class RunReport:
    """The report of one run. `counts` and `account` cover the batch, the other figures this run."""

    batch: str
    counts: Mapping[JobState, int]
    account: Account
    images: int
    seconds: float
    paused: Pause | None
    interrupted: bool
    overdue: int
    """Jobs that this run stopped waiting for at their deadline; the API may still be working."""
    warned: int
    """Jobs that succeeded with a warning."""
    folder: Path
    """The batch's folder: images and manifests."""
    manifests: tuple[Path, ...]
    left_out: int = 0
    """Queued jobs outside the run's selection; they do not change the exit code."""
    linked: int = 0
    """Jobs that succeeded with an identical job's result: not sent, not paid."""
    waiting: int = 0
    """Queued jobs that wait for another's result."""

    @property
    def exit_code(self) -> int:
        """130 for an interrupted run, else the pause's code, else 1 if a selected job did not succeed.

        Warnings do not change it.
        """
        if self.interrupted:
            return INTERRUPTED
        if self.paused is not None:
            return exit_code_of(self.paused.reason)
        done = self.counts[JobState.SUCCEEDED] + self.left_out == sum(self.counts.values())
        return 0 if done else 1


def exit_code_of(reason: PauseReason) -> int:
    """The exit code that a pause ends a run with."""
    return _PAUSED[reason]
