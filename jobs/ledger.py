"""The audit of a batch's ledger: is every submit authorised, and which paid images are not on disk? Pure.

A job may be sent once, and once more for each repeat that a person or a setting allowed. An unconfirmed
submit counts as sent. So: submits <= jobs sent + repeats allowed, for each job and for the whole batch.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from jobs.attempts import PAID_OR_MAYBE, UNDECIDED, SubmitOutcome
from jobs.states import AT_THE_API, JobState
from jobs.views import AttemptView


@dataclass(frozen=True, slots=True)
class NotInHand:
    """A submit that is or may be paid, and whose images are not on disk."""

    attempt: AttemptView
    why: str

    @property
    def usd(self) -> Decimal | None:
        """The cost that the API reported, else the most that it may be; None if neither is known."""
        return self.attempt.cost_usd if self.attempt.cost_usd is not None else self.attempt.estimate_usd


@dataclass(frozen=True, slots=True)
class LedgerAudit:
    """The totals of a ledger."""

    jobs_sent: int
    submits: int
    repeats_allowed: int
    unconfirmed: int
    """Unconfirmed submits that nobody has decided about."""
    turned_away: int
    """Submits that were answered, and surely not accepted: they are not among the others."""
    overdrawn: tuple[str, ...]
    """Keys of jobs that were sent more often than allowed: there should be none."""
    not_in_hand: tuple[NotInHand, ...]

    @property
    def balanced(self) -> bool:
        """Whether every submit was authorised."""
        return not self.overdrawn and self.submits <= self.jobs_sent + self.repeats_allowed

    @property
    def not_in_hand_usd(self) -> Decimal:
        """The most that is paid for images that are not on disk."""
        return sum((entry.usd for entry in self.not_in_hand if entry.usd is not None), Decimal(0))


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What one model of a batch has cost so far, in USD."""

    model: str
    submits: int
    """Attempts that were or may have been accepted."""
    images: int
    reported_usd: Decimal
    estimated_usd: Decimal
    """Of accepted attempts of which the API reported nothing."""
    in_doubt_usd: Decimal


def balance(ledger: Sequence[AttemptView]) -> LedgerAudit:
    """Audit all attempts of a batch."""
    of_job: dict[int, list[AttemptView]] = defaultdict(list)
    for attempt in ledger:
        if attempt.outcome in PAID_OR_MAYBE:
            of_job[attempt.job_id].append(attempt)
    missing = []
    for attempts in of_job.values():
        newest = max(attempts, key=lambda attempt: attempt.number or 0)
        for attempt in attempts:
            why = _why_not_in_hand(attempt, is_newest=attempt is newest)
            if why is not None:
                missing.append(NotInHand(attempt, why))
    return LedgerAudit(
        jobs_sent=len(of_job),
        submits=sum(len(attempts) for attempts in of_job.values()),
        repeats_allowed=sum(attempts[0].authorised for attempts in of_job.values()),
        unconfirmed=sum(attempt.outcome in UNDECIDED for attempts in of_job.values() for attempt in attempts),
        turned_away=sum(attempt.outcome is SubmitOutcome.TURNED_AWAY for attempt in ledger),
        overdrawn=tuple(
            attempts[0].key for attempts in of_job.values() if len(attempts) > 1 + attempts[0].authorised
        ),
        not_in_hand=tuple(sorted(missing, key=lambda entry: entry.attempt.id)),
    )


def _why_not_in_hand(attempt: AttemptView, *, is_newest: bool) -> str | None:
    match attempt.outcome:
        case SubmitOutcome.INTENT | SubmitOutcome.UNCONFIRMED:
            return "unconfirmed: no readable answer"
        case SubmitOutcome.RESUBMITTED:
            return "unconfirmed, and sent again"
        case SubmitOutcome.DISCARDED:
            return "unconfirmed, and discarded"
        case _:
            pass
    if is_newest and attempt.state is JobState.SUCCEEDED:
        return None
    if is_newest and attempt.state in AT_THE_API:
        return "on its way"
    if attempt.ended == "done":
        return "done at the API, pictures not here"
    return attempt.ended or "not fetched"
