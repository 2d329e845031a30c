"""Where a batch stands, in words and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import moment
from jobs.pauses import PauseReason
from jobs.states import ENDED, JobState
from runner.cli.console.formatting import then, zone_name
from runner.humanize import clock_time, count_of, jobs_a_minute, money
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import Account, BatchView, LinkCounts, Pause

_STYLES = {JobState.SUCCEEDED: "green", JobState.FAILED: "red", JobState.UNCONFIRMED: "yellow"}


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch at one moment."""

    batch: "BatchView"
    counts: dict[JobState, int]
    account: "Account"
    queued_usd: Decimal
    """What the queued jobs cost at most, as far as their prices are known."""
    unpriced: bool
    """Whether the price of a queued job is unknown."""
    unconfirmed_usd: Decimal
    """What unconfirmed submits may have cost on top of what is spent."""
    is_active: bool
    """Whether a runner works on it."""
    pace: float
    """Jobs a minute; 0 while it is unknown."""
    at: datetime
    links: "LinkCounts"
    held: int = 0
    """Queued jobs that were paid for before, and wait for a person."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that the runner still has something to do for."""
        return self.total - self.held - sum(self.counts[state] for state in (*ENDED, JobState.UNCONFIRMED))


def as_json(status: BatchStatus) -> dict[str, Any]:
    """The shape that scripts rely on."""
    paused, spent = status.batch.paused, status.account.spent_usd
    return {
        "batch": status.batch.name,
        "total": status.total,
        "counts": {state.value: status.counts[state] for state in JobState},
        "submits": status.account.submits,
        "unconfirmed": status.counts[JobState.UNCONFIRMED],
        "cost": {
            "spent_usd": float(spent),
            "estimate_usd": float(spent + status.queued_usd),
            "in_doubt_usd": float(status.unconfirmed_usd),
        },
        "turned_away": status.account.turned_away,
        "held": status.held,
        "paused": paused_json(paused),
    }


def paused_json(paused: "Pause | None") -> dict[str, Any] | None:
    """Why and since when a batch is paused, for scripts."""
    return None if paused is None else {"reason": paused.reason.value, "since": moment(paused.since)}


def lines(status: BatchStatus, settings: Settings) -> Iterator[tuple[str, str]]:
    """The same for a person, each line with its style."""
    batch, counts = status.batch, status.counts
    jobs, at = count_of(status.total, "job"), f"{status.at.astimezone():%H:%M} {zone_name(status.at)}"
    yield f"Batch {batch.name}: {jobs} of {batch.sheet}, at {at}", "bold"
    for state in JobState:
        if counts[state]:
            yield f"  {state.value:<12}{counts[state]:>8,}", _STYLES.get(state, "")
    if status.links.succeeded:
        yield f"{status.links.succeeded:,} of the succeeded by a job that says the same: not paid", ""
    if status.links.waiting:
        yield f"{status.links.waiting:,} of the queued wait for a job that says the same: not paid", ""
    if status.held:
        yield f"{status.held:,} of the queued are held: paid for before, and not sent again unasked", "yellow"
    yield _money(status), ""
    if status.account.turned_away:
        yield f"Turned away, and free: {count_of(status.account.turned_away, 'submit')}", ""
    if status.pace and status.left:
        done = status.at + timedelta(minutes=status.left / status.pace)
        yield f"Pace {jobs_a_minute(status.pace)}, done about {clock_time(done, status.at)}", ""
    if batch.paused is not None:
        since = clock_time(batch.paused.since, status.at)
        yield f"Paused since {since} ({batch.paused.reason}): {batch.paused.detail}", "bold yellow"
    if status.left and not status.is_active:
        yield "No runner is at work on it.", ""
    if batch.paused is not None or (status.left and not status.is_active):
        over_budget = batch.paused is not None and batch.paused.reason is PauseReason.BUDGET
        more = ("--budget", "USD") if over_budget else ()
        yield f"Go on with: {then(settings, 'resume', batch.name, *more)}", ""
    if status.held:
        yield f"To pay again for what is held: {then(settings, 'resume', batch.name, '--again')}", ""
    if counts[JobState.UNCONFIRMED]:
        yield f"Decide about the unconfirmed: {then(settings, 'review', batch.name)}", ""


def _money(status: BatchStatus) -> str:
    batch, account = status.batch, status.account
    text = f"Spent {money(account.spent_usd)} in {count_of(account.submits, 'submit')}"
    if status.queued_usd:
        text += f"; with what is queued at most {money(account.spent_usd + status.queued_usd)}"
    if status.unpriced:
        text += "; the price of what is queued is not known yet" if not status.queued_usd else ", and more"
    if status.counts[JobState.UNCONFIRMED] and status.unconfirmed_usd:
        text += f"; and up to {money(status.unconfirmed_usd)} in doubt"
    return text + (f"; budget {money(batch.budget)}" if batch.budget is not None else "")
