"""Where a batch stands, in words and as JSON: the same by night, in the morning and in its summary file."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE
from jobs.manifests.record import moment
from jobs.pauses import PauseReason
from jobs.states import ENDED, JobState
from runner.cli.console.formatting import then, zone_name
from runner.cli.reports.studio.account import as_json as account_json
from runner.cli.reports.studio.account import in_a_line
from runner.cli.reports.summary import FailureBreakdown, another_chance, gone
from runner.humanize import clock_time, count_of, duration, jobs_a_minute, money, spent
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.admission import AccountStanding
    from jobs.pauses import Wait
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
    failures: FailureBreakdown
    """Why jobs failed, and what unconfirmed submits may have cost on top of what is spent."""
    is_active: bool
    """Whether a runner works on it."""
    pace: float
    """Jobs a minute; 0 while it is unknown."""
    at: datetime
    links: "LinkCounts"
    folder: Path
    """Its images and manifests."""
    has_folder: bool = True
    """Whether that is there."""
    images: int = 0
    """That rows of the sheet have."""
    missing: int | None = 0
    """Of these, no longer on disk; None where there are too many to look at each."""
    warned: int = 0
    """Jobs that succeeded with a warning."""
    held: int = 0
    """Queued jobs that were paid for before, and wait for a person."""
    waiting: "Wait | None" = None
    """What the runner waits for."""
    since: datetime | None = None
    """When the runner began."""
    shared: "AccountStanding | None" = None
    """The account that it shares with other batches; None before its first run."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that the runner still has something to do for."""
        return self.total - self.held - sum(self.counts[state] for state in (*ENDED, JobState.UNCONFIRMED))

    @property
    def share(self) -> int:
        """Per cent of its jobs that have ended."""
        return 100 * sum(self.counts[state] for state in ENDED) // max(1, self.total)

    @property
    def cut_off(self) -> int:
        """Submits that were on their way when a run was ended at once: they may be paid for."""
        return 0 if self.is_active else self.counts[JobState.SUBMITTING]

    def as_left_behind(self) -> "BatchStatus":
        """The same once its runner is gone."""
        return replace(self, is_active=False, pace=0.0, waiting=None, since=None)

    @property
    def in_doubt_usd(self) -> Decimal:
        """What unconfirmed submits may have cost on top of what is spent."""
        return self.failures.unconfirmed_usd or Decimal(0)


def as_json(status: BatchStatus) -> dict[str, Any]:
    """The shape that scripts rely on."""
    return {
        "batch": status.batch.name,
        "total": status.total,
        "counts": {state.value: status.counts[state] for state in JobState},
        "kinds": {kind.value: many for kind, many in status.failures.kinds.items()},
        "submits": status.account.submits,
        "unconfirmed": status.counts[JobState.UNCONFIRMED],
        "cost": cost_json(status),
        "turned_away": status.account.turned_away,
        "held": status.held,
        "pictures": status.images,
        "missing_images": status.missing,
        "folder": str(status.folder),
        "waiting": _waiting_json(status.waiting),
        "paused": paused_json(status.batch.paused),
        **_limits_json(status.shared),
    }


def cost_json(status: BatchStatus) -> dict[str, float]:
    """What is spent, what the whole batch comes to, and what may be spent on top."""
    spent = status.account.spent_usd
    return {
        "spent_usd": float(spent),
        "estimate_usd": float(spent + status.queued_usd),
        "in_doubt_usd": float(status.in_doubt_usd),
    }


def paused_json(paused: "Pause | None") -> dict[str, Any] | None:
    """Why and since when a batch is paused, for scripts."""
    return None if paused is None else {"reason": paused.reason.value, "since": moment(paused.since)}


def _limits_json(account: "AccountStanding | None") -> dict[str, Any]:
    """The account that the batch shares, where it has a limit: most have none, and nothing is said of it."""
    return {} if account is None or in_a_line(account) is None else {"account": account_json(account)}


def _waiting_json(waiting: "Wait | None") -> dict[str, Any] | None:
    if waiting is None:
        return None
    return {
        "reason": waiting.reason,
        "since": moment(waiting.since),
        "until": moment(waiting.until),
        "detail": waiting.detail,
    }


def heading(status: BatchStatus) -> str:
    """The batch, its sheet and the moment."""
    jobs, at = count_of(status.total, "job"), f"{status.at.astimezone():%H:%M} {zone_name(status.at)}"
    return f"Batch {status.batch.name}: {jobs} of {status.batch.sheet}, at {at}"


def lines(status: BatchStatus, settings: Settings, *, steady: bool = False) -> Iterator[tuple[str, str]]:
    """The same for a person, each line with its style; with `steady` a state without jobs has a line, too."""
    yield heading(status), "bold"
    for state in JobState:
        if steady or status.counts[state]:
            count = f"  {state.value:<12}{status.counts[state]:>8,}"
            why = why_of(status, state)
            yield f"{count}  {why}" if why else count, _STYLES.get(state, "") if status.counts[state] else ""
    yield from facts(status)
    if status.left and not status.is_active:
        yield "No runner is at work on it.", ""
    for why, command in advice(status, settings):
        yield f"{why}: {command}", ""


def why_of(status: BatchStatus, state: JobState) -> str:
    """What there is to say of the jobs in a state beside their number."""
    if state is JobState.FAILED:
        return ", ".join(f"{many:,} {kind}" for kind, many in status.failures.kinds.items())
    if state is JobState.SUCCEEDED and status.warned:
        return f"{status.warned:,} with a warning, which is in the manifest"
    if state is JobState.SUBMITTING and status.cut_off:
        return "on their way when the run was ended: perhaps paid"
    return ""


def facts(status: BatchStatus) -> Iterator[tuple[str, str]]:
    """All else that is so: links, money, images, pace, pause and wait."""
    batch = status.batch
    if status.links.succeeded:
        yield f"{status.links.succeeded:,} of the succeeded through an identical job: not paid for", ""
    if status.links.waiting:
        yield f"{status.links.waiting:,} of the queued wait for an identical job: not paid for", ""
    if status.held:
        yield f"{status.held:,} of the queued are held: paid for before, and not sent again unasked", "yellow"
    yield _money(status), ""
    if status.shared is not None and (limits := in_a_line(status.shared)) is not None:
        yield limits, ""
    if status.account.turned_away:
        yield f"Turned away, and free: {count_of(status.account.turned_away, 'submit')}", ""
    if status.images:
        yield f"Pictures: {status.images:,} in {status.folder}", ""
    if status.missing:
        where = "in it" if status.has_folder else "on disk: that folder is gone"
        yield f"{gone(status.missing)} {where}", "bold red"
    if status.is_active and status.since is not None and status.left:
        began = duration((status.at - status.since).total_seconds())
        yield f"{status.share} % done, {began} gone", ""
    if status.pace and status.left:
        minutes = status.left / status.pace
        done = clock_time(status.at + timedelta(minutes=minutes), status.at)
        yield f"Pace {jobs_a_minute(status.pace)}, done about {done}, in {duration(60 * minutes)}", ""
    if status.waiting is not None:
        since = clock_time(status.waiting.since, status.at)
        yield f"Waiting since {since}: {status.waiting.detail}", "yellow"
    if batch.paused is not None:
        since = clock_time(batch.paused.since, status.at)
        yield f"Paused since {since} ({batch.paused.reason}): {batch.paused.detail}", "bold yellow"


def advice(status: BatchStatus, settings: Settings) -> Iterator[tuple[str, str]]:
    """What there is to do, and what to type for it, the most pressing first."""
    batch, counts = status.batch, status.counts
    if batch.paused is not None or (status.left and not status.is_active):
        over_budget = batch.paused is not None and batch.paused.reason is PauseReason.BUDGET
        if over_budget and batch.paused is not None and ACCOUNT_BUDGET in batch.paused.detail:
            over_budget = False
            if NO_KNOWN_PRICE in batch.paused.detail:
                yield "Without a price", then(settings, "account", "set", "--budget", "none")
            else:
                yield "Raise the account's budget", then(settings, "account", "set", "--budget", "USD")
        more = ("--budget", "USD") if over_budget else ()
        yield "Go on with", then(settings, "resume", batch.name, *more)
    if status.held:
        yield "To pay again for what is held", then(settings, "resume", batch.name, "--again")
    if counts[JobState.UNCONFIRMED]:
        yield "Decide about the unconfirmed", then(settings, "review", batch.name)
    if counts[JobState.FAILED]:
        yield "See why jobs failed", then(settings, "jobs", batch.name, "--state", "failed")
        if (chance := another_chance(status.failures)) is not None:
            yield f"Give what failed another chance{chance}", then(settings, "retry", batch.name)
    if status.missing and not status.has_folder:
        yield "Say where the folder is now", then(settings, "resume", batch.name, "--output-dir", "DIR")
    elif status.missing:
        yield (
            "Put the missing pictures back, or fetch them again, free as long as the API has them",
            then(settings, "retry", batch.name, "--free"),
        )


def _money(status: BatchStatus) -> str:
    batch, account = status.batch, status.account
    paid = spent(account.spent_usd, account.unpriced)
    text = f"Spent {paid} in {count_of(account.submits, 'submit')}"
    with_queued = money(account.spent_usd + status.queued_usd)
    if status.unpriced and status.queued_usd:
        text += f"; with what is queued {with_queued}, and what other models cost, which is not known yet"
    elif status.unpriced:
        text += "; the price of what is queued is not known yet"
    elif status.queued_usd:
        text += f"; with what is queued at most {with_queued}"
    if (status.counts[JobState.UNCONFIRMED] or status.cut_off) and status.in_doubt_usd:
        text += f"; and up to {money(status.in_doubt_usd)} in doubt"
    return text + (f"; budget {money(batch.budget)}" if batch.budget is not None else "")
