"""What a run came to, in words and as JSON, and the one thing to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobs.states import AT_THE_API, JobState
from runner.cli.words import duration, many, money, then

if TYPE_CHECKING:
    from jobs.failures import FailureKind
    from runner.report import RunReport
    from runner.settings import Settings


def as_json(report: "RunReport") -> dict[str, Any]:
    """The summary for scripts. `counts` and `cost` are the whole batch's, the rest is this run's.

    `cost.spent_usd` is `told_usd`, which the API said, and `estimated_usd` where it said nothing.
    """
    from jobs.manifests.record import moment

    account, paused = report.account, report.paused
    return {
        "batch": report.batch,
        "exit_code": report.exit_code,
        "total": sum(report.counts.values()),
        "counts": {state.value: report.counts[state] for state in JobState},
        "submits": account.submits,
        "unconfirmed": report.counts[JobState.UNCONFIRMED],
        "pictures": report.pictures,
        "warned": report.warned,
        "overdue": report.overdue,
        "interrupted": report.interrupted,
        "cost": {
            "spent_usd": float(account.spent_usd),
            "told_usd": float(account.told_usd),
            "estimated_usd": float(account.estimated_usd),
        },
        "paused": None
        if paused is None
        else {"reason": paused.reason.value, "since": moment(paused.since), "detail": paused.detail},
        "seconds": round(report.seconds, 3),
        "folder": str(report.folder),
        "manifests": [str(path) for path in report.manifests],
    }


def lines(
    report: "RunReport", settings: "Settings", kinds: Mapping["FailureKind", int] | None = None
) -> Iterator[tuple[str, str]]:
    """The summary for a person: each line with its style, the last one saying what to do next."""
    yield from _came_to(report, Counter(kinds or {}))
    yield from _money(report)
    yield f"Pictures: {many(report.pictures, 'new picture')} in {report.folder}", ""
    for path in report.manifests:
        yield f"Manifest: {path}", ""
    yield from ((advice, "bold") for advice in next_step(report, settings))


def _came_to(report: "RunReport", kinds: Counter["FailureKind"]) -> Iterator[tuple[str, str]]:
    counts = report.counts
    total = sum(counts.values())
    succeeded = counts[JobState.SUCCEEDED]
    style = "bold green" if succeeded == total else "bold"
    took = duration(report.seconds)
    yield f"Batch {report.batch}: {succeeded} of {many(total, 'job')} succeeded, in {took}.", style
    if report.warned:
        yield f"  {report.warned} of them with a warning, which the manifest tells", ""
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
        yield f"  {waiting} not sent", ""
    if cancelled := counts[JobState.CANCELLED]:
        yield f"  {cancelled} cancelled", ""


def _money(report: "RunReport") -> Iterator[tuple[str, str]]:
    account = report.account
    told = f"{money(account.told_usd)} told by the API"
    if account.estimated_usd:
        told += f", {money(account.estimated_usd)} estimated where it told nothing"
    yield f"Spent so far: {money(account.spent_usd)} ({told}) in {many(account.submits, 'submit')}", ""


def next_step(report: "RunReport", settings: "Settings") -> Iterator[str]:
    """One thing to do, the most pressing."""
    counts = report.counts
    resume = then(settings, "resume", report.batch)
    running = sum(counts[state] for state in AT_THE_API)
    if report.paused is not None and not report.interrupted:
        yield f"Paused ({report.paused.reason}): {report.paused.detail}"
        yield _after_pause(report, settings, resume)
    elif report.interrupted:
        left = running + counts[JobState.QUEUED] + counts[JobState.SUBMITTING]
        kept = " What is at the API goes on there, paid for, and is fetched then." if running else ""
        yield f"Next: {resume}" + (f" goes on with {many(left, 'job')}.{kept}" if left else "")
    elif counts[JobState.UNCONFIRMED]:
        yield f"Next: {then(settings, 'review', report.batch)} shows what may be paid for and is not in hand."
    elif running or counts[JobState.QUEUED] or counts[JobState.SUBMITTING]:
        yield f"Next: {resume} goes on with what is left; fetching what is at the API is free."
    elif counts[JobState.FAILED]:
        yield f"Next: {then(settings, 'jobs', report.batch, '--state', 'failed')} shows why; then perhaps "
        yield f"      {then(settings, 'retry', report.batch)}, which says what it costs."
    elif counts[JobState.CANCELLED]:
        again = then(settings, "retry", report.batch, "--kind", "cancelled")
        yield f"Next: {again}, if they are to be sent after all."


def _after_pause(report: "RunReport", settings: "Settings", resume: str) -> str:
    assert report.paused is not None
    reason = report.paused.reason.value
    if reason == "budget":
        return f"Next: {then(settings, 'resume', report.batch, '--budget', 'USD')} with a higher budget."
    if reason == "guard":
        look = then(settings, "jobs", report.batch, "--state", "failed")
        return f"Next: {look} shows why; when it is put right: {resume}"
    first = {
        "token": "put a good token into RUNCOMFY_API_TOKEN",
        "balance": "top up the account at runcomfy.com",
        "outage": "wait until the API can be reached",
        "disk": "make room on the disk, or give leave to write",
        "person": "when you want to go on",
    }[reason]
    return f"Next: {first}, then: {resume}"
