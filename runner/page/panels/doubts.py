"""The submits without an answer, and the lines that decide about each. What can pay is a line, no button."""

import json
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.manifests.record import dollars, moment
from runner.deciding.reviewable import UnconfirmedJobs, unconfirmed_jobs
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView, JobView

ID = "REQUEST_ID"
"""Stands in a line for what a person has to find out first."""


async def doubts(page: Page, batch: "BatchView") -> list[dict[str, Any]]:
    """One a submit."""
    unconfirmed = await unconfirmed_jobs(page.store, batch)
    return [_doubt(page, batch, unconfirmed, job) for job in unconfirmed.jobs]


def _doubt(page: Page, batch: "BatchView", unconfirmed: UnconfirmedJobs, job: "JobView") -> dict[str, Any]:
    name, inputs = unconfirmed.name(job), json.loads(job.inputs)
    model = find(job.model)
    found = job.named_id or ID
    return {
        "key": name,
        "row": job.row,
        "model": job.model,
        "prompt": inputs.get(model.vocabulary["prompt"], "") if model is not None else "",
        "seed": inputs.get("seed"),
        "sent_at": moment(job.submitted_at),
        "at_risk_usd": dollars(job.estimate_usd),
        "message": "" if job.failure is None else job.failure.message,
        "named_id": job.named_id,
        "in_sheet": job.current,
        "attach": page.command("review", batch.name, "--attach", f"{name}={found}"),
        "resubmit": page.command("review", batch.name, "--resubmit", name) if job.current else None,
        "discard": page.command("review", batch.name, "--discard", name),
    }
