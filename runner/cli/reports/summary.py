"""The summary of a run, in words and as JSON, and the one thing to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE
from jobs.failures import FETCH_AGAIN, ONLY_IF_NAMED, FailureKind
from jobs.manifests.record import dollars, moment
from jobs.states import AT_THE_API, JobState
from runner.cli.console.formatting import then
from runner.events.report import RunReport
from runner.humanize import count_of, duration, money, spent
from runner.providers.vendor import VENDOR
from runner.settings import Settings


@dataclass(frozen=True, slots=True)
class FailureBreakdown:
    """What the table knows beyond a run's report, where it can be read."""

    kinds: Mapping[FailureKind, int] = field(default_factory=dict)
    """Why jobs of the sheet failed."""
    unconfirmed_usd: Decimal | None = None
    """What unconfirmed submits may have cost, on top of what is spent."""
    linked: Mapping[FailureKind, int] = field(default_factory=dict)
    """Of those that failed, jobs that were not sent, because the identical job failed."""


def as_json(report: RunReport, breakdown: FailureBreakdown) -> dict[str, Any]:
    """The summary for scripts. `counts` and `cost` are the whole batch's, the rest is this run's.

    `cost.spent_usd` is `told_usd`, which the API reported, plus `estimated_usd` where it reported nothing; on
    top of it `in_doubt_usd` may have been spent, null where the table cannot be read any more.
    """
    account, paused = report.account, report.paused
    return {
        "batch": report.batch,
        "exit_code": report.exit_code,
        "total": sum(report.counts.values()),
        "counts": {state.value: report.counts[state] for state in JobState},
        "submits": account.submits,
        "unconfirmed": report.counts[JobState.UNCONFIRMED],
        "pictures": report.images,
        "warned": report.warned,
        "overdue": report.overdue,
        "left_out": report.left_out,
        "linked": report.linked,
        "waiting": report.waiting,
        "held": report.held,
        "missing_images": report.missing,
        "interrupted": report.interrupted,
        "cost": {
            "spent_usd": float(account.spent_usd),
            "told_usd": float(account.reported_usd),
            "estimated_usd": float(account.estimated_usd),
            "in_doubt_usd": dollars(breakdown.unconfirmed_usd),
        },
        "paused": None
        if paused is None
        else {"reason": paused.reason.value, "since": moment(paused.since), "detail": paused.detail},
        "seconds": round(report.seconds, 3),
        "folder": str(report.folder),
        "manifests": [str(path) for path in report.manifests],
    }


def lines(
    report: RunReport,
    settings: Settings,
    breakdown: FailureBreakdown | None = None,
    files: Sequence[Path] = (),
) -> Iterator[tuple[str, str]]:
    """The summary for a person: each line with its style, the last one saying what to do next."""
    breakdown = breakdown or FailureBreakdown()
    yield from _results(report, Counter(breakdown.kinds))
    yield _money(report, breakdown), ""
    yield f"Pictures: {count_of(report.images, 'new picture')} in {report.folder}", ""
    if report.missing:
        yield f"  {gone(report.missing)} in the output folder", "bold red"
    for path in report.manifests:
        yield f"Manifest: {path}", ""
    for path in files[:1]:
        yield f"Summary: {path}", ""
    yield from ((advice, "bold") for advice in next_step(report, settings, breakdown))


def _results(report: RunReport, kinds: Counter[FailureKind]) -> Iterator[tuple[str, str]]:
    counts = report.counts
    total = sum(counts.values())
    succeeded = counts[JobState.SUCCEEDED]
    style = "bold green" if succeeded == total else "bold"
    took = duration(report.seconds)
    yield f"Batch {report.batch}: {succeeded} of {count_of(total, 'job')} succeeded, in {took}.", style
    if succeeded == total and not report.seconds:
        yield "  Nothing was left to send, and nothing was paid now.", ""
    if report.warned:
        yield f"  {report.warned} of them with a warning, which is in the manifest", ""
    if report.linked:
        yield f"  {report.linked} of them through an identical job: not sent, not paid for", ""
    if failed := counts[JobState.FAILED]:
        why = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
        yield f"  {failed} failed" + (f" ({why})" if why else ""), "red"
    if unconfirmed := counts[JobState.UNCONFIRMED]:
        yield f"  {unconfirmed} unconfirmed: sent without an answer, perhaps paid", "yellow"
    if running := sum(counts[state] for state in AT_THE_API):
        yield f"  {running} still at the API, paid for", ""
    if report.overdue:
        yield f"  {report.overdue} of them past the deadline: this run stopped waiting for them", "yellow"
    if waiting := counts[JobState.QUEUED] + counts[JobState.SUBMITTING]:
        out = f", {_of(report.left_out, waiting)}left out of this run" if report.left_out else ""
        linked = ""
        if report.waiting:
            linked = f", {_of(report.waiting, waiting)}waiting for an identical job"
        held = f", {_of(report.held, waiting)}held: paid for before" if report.held else ""
        yield f"  {waiting} not sent{out}{linked}{held}", ""
    if cancelled := counts[JobState.CANCELLED]:
        yield f"  {cancelled} cancelled", ""


def gone(missing: int) -> str:
    """How many images are no longer on disk."""
    return f"{count_of(missing, 'picture')} {'is' if missing == 1 else 'are'} no longer"


def _of(some: int, total: int) -> str:
    return "" if some == total else f"{some} of them "


def _money(report: RunReport, breakdown: FailureBreakdown) -> str:
    account = report.account
    sources = f"{money(account.reported_usd)} reported by the API"
    if account.estimated_usd:
        sources += f", {money(account.estimated_usd)} estimated where it reported nothing"
    if account.unpriced:
        sources += f", the price of {count_of(account.unpriced, 'submit')} is unknown"
    paid = spent(account.spent_usd, account.unpriced)
    text = f"Spent so far: {paid} ({sources}) in {count_of(account.submits, 'submit')}"
    if report.counts[JobState.UNCONFIRMED] and breakdown.unconfirmed_usd:
        text += f", and up to {money(breakdown.unconfirmed_usd)} in doubt"
    return text


def next_step(
    report: RunReport, settings: Settings, breakdown: FailureBreakdown | None = None
) -> Iterator[str]:
    """What to do, the most pressing first: a line that says why, and the command alone, to be copied."""
    counts = report.counts

    def command(verb: str, *more: str) -> str:
        return f"Next: {then(settings, verb, report.batch, *more)}"

    running = sum(counts[state] for state in AT_THE_API)
    left = running + counts[JobState.QUEUED] + counts[JobState.SUBMITTING]
    if report.paused is not None and not report.interrupted:
        yield f"Paused ({report.paused.reason}): {report.paused.detail}"
        reason = report.paused.reason.value
        is_account_s = reason == "budget" and ACCOUNT_BUDGET in report.paused.detail
        if is_account_s and NO_KNOWN_PRICE in report.paused.detail:
            yield "Write the price, or take the account's budget away; then go on."
            yield f"Without a price: {then(settings, 'account', 'set', '--budget', 'none')}"
        elif is_account_s:
            yield "Raise the account's budget, then go on."
            yield f"First: {then(settings, 'account', 'set', '--budget', 'USD')}"
        elif reason == "guard" and not counts[JobState.FAILED]:  # no job is to blame: a store of pictures is
            yield "Put that right, then go on."
        else:
            yield _BEFORE[reason]
        if reason == "guard" and counts[JobState.FAILED]:
            yield command("jobs", "--state", "failed")
        yield command("resume", *(("--budget", "USD") if reason == "budget" and not is_account_s else ()))
    elif report.interrupted:
        if left:
            kept = " What is at the API goes on there, paid for, and is fetched then." if running else ""
            yield f"{count_of(left, 'job')} to go on with.{kept}"
        yield command("resume")
    elif counts[JobState.UNCONFIRMED]:
        yield "Look at what may be paid for without a result here, and decide about it."
        yield command("review")
        if counts[JobState.FAILED]:
            yield from _chances(breakdown or FailureBreakdown(), command("retry"))
    elif left and left == report.held:
        yield "To pay again for what is held, which was paid for before:"
        yield command("resume", "--again")
    elif left:
        yield "The rest can go on; fetching what the API has is free."
        yield command("resume")
    elif counts[JobState.FAILED]:
        yield "See why jobs failed."
        yield command("jobs", "--state", "failed")
        yield from _chances(breakdown or FailureBreakdown(), command("retry"))
    elif report.missing:
        yield "Put the missing pictures back, or fetch them again, free as long as the API has them."
        yield command("retry", "--free")
    elif counts[JobState.CANCELLED]:
        yield "If the cancelled jobs are to be sent after all:"
        yield command("retry", "--kind", "cancelled")


def another_chance(breakdown: FailureBreakdown) -> str | None:
    """What `retry` would do for the failed jobs, and whether it is paid; None where it would do nothing."""
    sent = Counter(breakdown.kinds) - Counter(breakdown.linked)  # the others share what comes of these
    free = sum(number for kind, number in sent.items() if kind in FETCH_AGAIN)
    named = sum(number for kind, number in sent.items() if kind in ONLY_IF_NAMED)
    paid = sum(sent.values()) - free - named
    if breakdown.kinds and not (free or paid):
        return None
    chances = [f"{free} for free"] * bool(free) + [f"{paid} for another payment"] * bool(paid)
    return f" ({', '.join(chances)})" if chances else ", which says what that costs"


def _chances(breakdown: FailureBreakdown, retry: str) -> Iterator[str]:
    if (what := another_chance(breakdown)) is not None:
        yield f"Give what failed another chance{what}."
        yield retry


_BEFORE = {
    "token": f"Put a good token into {VENDOR.token_variable}, then go on.",
    "balance": f"Top up the account at {VENDOR.website}, then go on.",
    "budget": "Go on with a higher budget: USD stands for what the batch may cost in all.",
    "outage": "Wait until the API can be reached, then go on.",
    "disk": "Make room on the disk, or give permission to write, then go on.",
    "guard": "See why jobs failed, put it right, then go on.",
    "person": "Go on when you want to.",
}
