"""What running a sheet would do with its jobs, told without doing it."""

from dataclasses import dataclass

from jobs.states import JobState


@dataclass(frozen=True, slots=True)
class RowChange:
    """What running a sheet now would do with one of its jobs."""

    kind: str
    """new, changed or unchanged."""
    state: JobState
    """Where it would stand when it is loaded: what is queued would be sent."""
    known: bool
    """Whether the batch has a job of this key in its sheet now."""
    waits: bool = False
    """Whether it waits for what another brings that says the same and was sent: with `--dedupe` it would not
    be sent itself."""


NEW = RowChange("new", JobState.QUEUED, known=False)
