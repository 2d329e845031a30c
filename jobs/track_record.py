"""The track record of a batch: what a run has to know of earlier ones, for its guards and its polls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.failures import FailureKind


@dataclass(frozen=True, slots=True)
class EndedJob:
    """How a job ended, or a run of it that failed before it was sent again.

    `kind` is None where it succeeded; `at_submit`: it was never accepted.
    """

    kind: FailureKind | None = None
    at_submit: bool = False


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What happened to a batch since its guards began to count. What a person caused is left out."""

    total: int = 0
    """The sheet's jobs."""
    ended: tuple[EndedJob, ...] = ()
    """The jobs that ended last, the newest at the end."""
    since_accepted: int = 0
    """How many of these ended after the last submit that was accepted."""
    unanswered: int = 0
    """Submits without a readable answer that no person has decided about."""
    fruitless: Mapping[str, int] = field(default_factory=dict)
    """By model: runs that failed lately, and jobs without an answer.

    An edited row's older job is left out.
    """
    proven: frozenset[str] = frozenset()
    """Models that made images at this API lately, for any batch of the database."""
    service_seconds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By model: how long requests took at this API, in any batch of the database, the newest last."""


NO_RECORD = TrackRecord()
"""Nothing has happened."""
