"""The report of a run: its counts, its money and its exit code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.exit_codes import ExitCode, exit_code_of
from jobs.states import JobState
from jobs.views import Account, Pause


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
    held: int = 0
    """Queued jobs that were paid for before, and wait for a person."""
    missing: int = 0
    """Images that rows of the sheet have, and that are no longer on disk."""

    @property
    def exit_code(self) -> ExitCode:
        """An interruption beats a pause, a pause beats unfinished jobs; warnings change nothing."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.paused is not None:
            return exit_code_of(self.paused.reason)
        done = self.counts[JobState.SUCCEEDED] + self.left_out == sum(self.counts.values())
        return ExitCode.OK if done else ExitCode.INCOMPLETE
