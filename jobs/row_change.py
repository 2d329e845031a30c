"""What loading a sheet would do with each of its jobs."""

from dataclasses import dataclass

from jobs.states import JobState


@dataclass(frozen=True, slots=True)
class RowChange:
    """What loading a sheet now would do with one of its jobs."""

    kind: str
    """new, changed or unchanged."""
    state: JobState
    """The job's state after loading. A queued job would be sent."""
    known: bool
    """Whether the batch has a current job of this key."""
    waits: bool = False
    """Whether it is linked to an identical job that is in flight: it would wait for that job's result."""


NEW = RowChange("new", JobState.QUEUED, known=False)
