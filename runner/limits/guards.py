"""Guards against burning through a sheet: a problem that affects more than single rows pauses the batch.

They count over runs: what happened before this run comes from the table, so a run that is started again goes
on counting. Only a `resume` after a guard's or a person's pause starts over. Each limit is a setting; 0 turns
it off.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from jobs.failures import FailureKind
from jobs.track_record import NO_RECORD, EndedJob, TrackRecord


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """The limits at which a run pauses by itself."""

    failures_in_a_row: int = 20
    """Failures of one kind, with no success in between."""
    window: int = 30
    """The number of jobs that ended last, of which some must have succeeded."""
    window_percent: float = 10.0
    """The least percentage of them that must have succeeded."""
    unconfirmed: int = 20
    unconfirmed_percent: float = 2.0
    """The same limit as a percentage of the batch; the higher of the two applies."""
    canary: int = 3
    """Jobs of each model that go first, alone."""
    canary_above: int = 0
    """Canaries go first only in batches of more jobs than this."""

    @property
    def remembered(self) -> int:
        """How many ended jobs the guards look back on."""
        return max(self.failures_in_a_row, self.window)


class Guards:
    """The guards of one run. `trip` pauses the batch; it is called with what happened, in words."""

    def __init__(
        self, limits: GuardLimits, trip: Callable[[str], None], record: TrackRecord = NO_RECORD
    ) -> None:
        self._limits = limits
        self._trip = trip
        self._unconfirmed_allowed = max(
            limits.unconfirmed, int(record.total * limits.unconfirmed_percent / 100)
        )
        self._canaries = limits.canary if record.total > limits.canary_above else 0
        self._recall(record)

    def start_anew(self) -> None:
        """Forget everything: a person resumed the batch, and the canaries go first again."""
        self._recall(NO_RECORD)

    def check(self) -> None:
        """Trip if the counts are over a limit."""
        trouble = self._streak_trouble() or self._window_trouble() or self._unconfirmed_trouble()
        if trouble is not None:
            self._trip(trouble)

    # -- the canary: the first jobs of a model alone -----------------------------------------------------

    def admits(self, model: str, in_hand: int) -> bool:
        """Whether a queued job may be sent. `in_hand` is the number of this model's jobs in flight.

        Trips where all canaries have come to nothing and this job would be the next one.
        """
        if not self._canaries or model in self._proven:
            return True
        fruitless = self._fruitless[model]
        if fruitless >= self._canaries:
            self._trip(f"{fruitless} tries of {model} went first, and none succeeded; the rest was not sent.")
            return False
        return fruitless + in_hand < self._canaries

    # -- outcomes of jobs --------------------------------------------------------------------------------

    def accepted(self) -> None:
        """Note an accepted submit: the API does not refuse everything."""
        if self._last.at_submit:
            self._in_a_row = 0

    def succeeded(self, model: str) -> None:
        """Note a job that succeeded. It ends every streak, and proves its model."""
        self._proven.add(model)
        self._count(EndedJob())
        self.check()

    def failed(self, model: str, kind: FailureKind, *, at_submit: bool = False) -> None:
        """Count a job that ended without its images, or is sent again. `at_submit`: it was never accepted."""
        self._fruitless[model] += 1
        self._count(EndedJob(kind, at_submit=at_submit))
        self.check()

    def unconfirmed(self, model: str, *, sent_again: bool = False) -> None:
        """Count an unconfirmed submit. `sent_again`: a setting has its job submitted again."""
        self._fruitless[model] += not sent_again
        self._unconfirmed += 1
        self.check()

    # -- counting ----------------------------------------------------------------------------------------

    def _recall(self, record: TrackRecord) -> None:
        self._window = deque[FailureKind | None](maxlen=self._limits.window)
        self._last = EndedJob()
        self._in_a_row = 0
        self._unconfirmed = record.unanswered
        self._fruitless = Counter(record.fruitless)
        self._proven = set(record.proven)
        for place, job in enumerate(record.ended):
            if place == len(record.ended) - record.since_accepted:
                self.accepted()
            self._count(job)
        if not record.since_accepted:
            self.accepted()

    def _count(self, job: EndedJob) -> None:
        self._window.append(job.kind)
        self._in_a_row = self._in_a_row + 1 if job == self._last else 1
        self._last = job

    def _streak_trouble(self) -> str | None:
        limit, kind = self._limits.failures_in_a_row, self._last.kind
        if not limit or kind is None or self._in_a_row < limit:
            return None
        return f"{self._in_a_row} jobs in a row ended as {kind}."

    def _window_trouble(self) -> str | None:
        window, kinds = self._limits.window, Counter(self._window)
        succeeded = kinds.pop(None, 0)
        if (
            not window
            or len(self._window) < window
            or succeeded * 100 >= window * self._limits.window_percent
        ):
            return None
        why = ", ".join(f"{many} {kind}" for kind, many in kinds.most_common())
        return f"{window} jobs ended, {succeeded} succeeded: {why}."

    def _unconfirmed_trouble(self) -> str | None:
        if not self._limits.unconfirmed or self._unconfirmed <= self._unconfirmed_allowed:
            return None
        return (
            f"{self._unconfirmed} submits got no readable answer, and nobody has decided about them "
            "(`nightsheet review`)."
        )
