"""The unconfirmed jobs, and what was done about them, in words and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.manifests.record import dollars, moment
from runner.cli.console import console
from runner.cli.console.formatting import brief_model, then, zone, zone_name
from runner.cli.reports.not_changed import not_changed_json, not_changed_lines, price_json
from runner.deciding.changes import NOT_IN_SHEET, price_to_send
from runner.deciding.review import ReviewResult
from runner.deciding.reviewable import UnconfirmedJobs
from runner.humanize import count_of, money, price
from runner.providers.vendor import VENDOR
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import BatchView, JobView

_PROMPT_LENGTH = 60
_GONE = "gone"


def unconfirmed_json(unconfirmed: UnconfirmedJobs) -> list[dict[str, Any]]:
    """The unconfirmed jobs for scripts."""
    return [_job_json(job) for job in unconfirmed.jobs]


def show_unconfirmed(
    batch: "BatchView", unconfirmed: UnconfirmedJobs, settings: Settings, now: datetime
) -> None:
    """The unconfirmed jobs for a person, with what can be decided about each."""
    if not unconfirmed.jobs:
        console.result(f"Batch {batch.name}: nothing is unconfirmed.")
        return
    console.table(
        ("key", "row", "model", f"sent ({zone_name(now)})", "seed", "at risk", "prompt"),
        [_row(unconfirmed.name(job), job, now, whole=settings.verbose) for job in unconfirmed.jobs],
        numbers=("row", "at risk"),
        flowing=("prompt",),
        spare=("row", "model", "at risk"),
        brief={"model": brief_model},
    )
    for job in unconfirmed.jobs:
        if job.named_id is not None:
            name, word = unconfirmed.name(job), f"{unconfirmed.name(job)}={job.named_id}"
            console.result(
                f"{name}: its answer named a request, which the API did not confirm; it may by now:"
            )
            console.result(f"  {then(settings, 'review', batch.name, '--attach', word)}")
    if settings.verbose:
        _show_answers(unconfirmed)
    if not all(job.current for job in unconfirmed.jobs):
        console.result(f"{_GONE}: {NOT_IN_SHEET}; it can be attached or discarded, but not sent again.")
    name = batch.name
    console.result(
        f"{count_of(len(unconfirmed.jobs), 'submit')} without an answer: each may be paid for. "
        "Look for them in your"
    )
    console.result(f"requests on {VENDOR.website}, by time, prompt and seed. Then, for each:")
    console.result(f"  it is there:     {then(settings, 'review', name, '--attach', 'KEY=REQUEST_ID')}")
    console.result("                   free: it is fetched")
    console.result(f"  it is not there: {then(settings, 'review', name, '--resubmit', 'KEY')}")
    console.result("                   paid: twice, if the first was accepted after all")
    console.result(f"  discard it:      {then(settings, 'review', name, '--discard', 'KEY')}")
    console.result("                   costs nothing more; if it was accepted, it was paid for nothing")


def _show_answers(unconfirmed: UnconfirmedJobs) -> None:
    """What each submit was answered, as it came: who said it, and in which words."""
    for job in unconfirmed.jobs:
        console.result()
        console.result(unconfirmed.name(job), "bold")
        console.result(f"  {'' if job.failure is None else job.failure.message}")
        if job.answer is None:
            console.result("  No answer is on record.")
            continue
        console.result(f"  HTTP {job.answer.status}")
        for name, value in job.answer.headers.items():
            console.result(f"  {name}: {value}")
        for line in job.answer.body.splitlines():
            console.result(f"  | {line}")
    console.result()


def result_json(batch: "BatchView", unconfirmed: UnconfirmedJobs, result: ReviewResult) -> dict[str, Any]:
    """What was done, for scripts."""

    def names(jobs: Sequence["JobView"]) -> list[str]:
        return [unconfirmed.name(job) for job in jobs]

    return {
        "batch": batch.name,
        "attached": names(result.attached),
        "resubmitted": names(result.resubmitted),
        "discarded": names(result.discarded),
        "left": not_changed_json(result.not_changed),
        "price": price_json(*price_to_send(batch, result.resubmitted)),
    }


def show_result(batch: "BatchView", result: ReviewResult, settings: Settings) -> None:
    """What was done, for a person."""
    for line in not_changed_lines("Not changed", result.not_changed, all_jobs=settings.verbose):
        console.message(line)
    if result.attached:
        console.result(f"{count_of(len(result.attached), 'job')} attached: will be fetched, free.")
    if result.resubmitted:
        cost = price(*price_to_send(batch, result.resubmitted))
        console.result(f"{count_of(len(result.resubmitted), 'job')} will be sent again and paid for, {cost}.")
    if result.discarded:
        console.result(f"{count_of(len(result.discarded), 'job')} discarded: costs nothing more.")
    if not (result.not_changed or result.attached or result.resubmitted or result.discarded):
        console.result(f"Batch {batch.name}: nothing is unconfirmed.")
    if result.attached or result.resubmitted:
        console.result(f"Nothing was sent yet. Next: {then(settings, 'resume', batch.name)}")


def _prompt_and_seed(job: "JobView") -> tuple[str, int | None]:
    """What was sent: by this a person finds the request among the others at the API."""
    inputs = json.loads(job.inputs)
    spec = find(job.model)
    vocabulary = {} if spec is None else spec.vocabulary
    prompt, seed = vocabulary.get("prompt", "prompt"), vocabulary.get("seed", "seed")
    return str(inputs.get(prompt, "")), inputs.get(seed)


def _row(name: str, job: "JobView", now: datetime, *, whole: bool) -> tuple[object, ...]:
    prompt, seed = _prompt_and_seed(job)
    sent = "" if job.submitted_at is None else f"{job.submitted_at.astimezone(zone(now)):%Y-%m-%d %H:%M:%S}"
    return (
        name,
        job.row if job.current else _GONE,
        job.model,
        sent,
        "" if seed is None else seed,
        "unknown" if job.estimate_usd is None else money(job.estimate_usd),
        prompt if whole else console.short(prompt, _PROMPT_LENGTH),
    )


def _job_json(job: "JobView") -> dict[str, Any]:
    """`at_risk_usd` is the most that the submit may have cost, null if unknown."""
    prompt, seed = _prompt_and_seed(job)
    return {
        "batch": job.batch,
        "key": job.key,
        "revision": job.revision,
        "current": job.current,
        "row": job.row,
        "model": job.model,
        "submitted_at": moment(job.submitted_at),
        "prompt": prompt,
        "seed": seed,
        "at_risk_usd": dollars(job.estimate_usd),
        "message": "" if job.failure is None else job.failure.message,
        "named_id": job.named_id,
        "answer": None if job.answer is None else asdict(job.answer),
    }
