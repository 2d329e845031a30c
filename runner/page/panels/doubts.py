"""The submits without an answer, and the lines that decide about each. What can pay is a line, no button.

Those that have ended without a picture are told as well, where the API may have one after all.
"""

import json
from typing import TYPE_CHECKING, Any

from jobs.attempts import SubmitOutcome
from jobs.catalog.registry import find
from jobs.manifests.record import dollars, moment
from runner.deciding.reviewable import UnconfirmedJobs, may_get_any_id, unconfirmed_jobs
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import AttemptView, BatchView, JobView

ID = "REQUEST_ID"
"""Stands in a line for what a person has to find out first."""
MOST_ENDED = 50
"""`review` takes any of them."""
_NAMED = "Its answer named an id, which the API did not confirm; it may by now:"
_EARLIER = "An earlier submit of it was accepted as"
_LOST = "The API did not know its request, and may again:"


async def doubts(page: Page, batch: "BatchView") -> list[dict[str, Any]]:
    """One a submit."""
    unconfirmed = await unconfirmed_jobs(page.store, batch, attaching=True)
    ended = [job for job in unconfirmed.ended if job.attempts][-MOST_ENDED:]
    told = list[dict[str, Any]]()
    for job in (*unconfirmed.jobs, *ended):
        attempts = await page.store.ledger.attempts(batch.id, job.id)
        told.append(_doubt(page, batch, unconfirmed, job, attempts))
    return told


def _doubt(
    page: Page,
    batch: "BatchView",
    unconfirmed: UnconfirmedJobs,
    job: "JobView",
    attempts: list["AttemptView"],
) -> dict[str, Any]:
    name, inputs = unconfirmed.name(job), json.loads(job.inputs)
    model, is_ended = find(job.model), job in unconfirmed.ended
    answer = attempts[-1].answer if attempts else None

    def attach(request_id: str) -> str:
        return page.command("review", batch.name, "--attach", f"{name}={request_id}")

    return {
        "key": name,
        "row": job.row,
        "model": job.model,
        "state": job.state.value,
        "ended": is_ended,
        "prompt": inputs.get(model.vocabulary["prompt"], "") if model is not None else "",
        "seed": inputs.get("seed"),
        "sent_at": moment(job.submitted_at),
        "at_risk_usd": dollars(job.estimate_usd),
        "message": "" if job.failure is None else job.failure.message,
        "answer": None if answer is None else {"status": answer.status, "body": answer.body},
        "in_sheet": job.current,
        "candidates": [
            {"id": request_id, "why": why, "command": attach(request_id)}
            for request_id, why in _candidates(job, attempts, is_ended=is_ended).items()
        ],
        "attach": attach(ID),
        "placeholder": ID,
        "resubmit": page.command("review", batch.name, "--resubmit", name) if job.current else None,
        "discard": page.command("review", batch.name, "--discard", name),
    }


def _candidates(job: "JobView", attempts: list["AttemptView"], *, is_ended: bool) -> dict[str, str]:
    """The ids that it may have at the API, the newest first, each with the reason.

    While a submit is unconfirmed, an earlier one of its job cannot be attached.
    """
    found = dict[str, str]()
    for attempt in reversed(attempts):
        if attempt.named_id is not None:
            found.setdefault(attempt.named_id, _NAMED)
        if not is_ended or attempt.request_id is None or attempt.outcome is not SubmitOutcome.ACCEPTED:
            continue
        if attempt.request_id != job.request_id:
            found.setdefault(attempt.request_id, _EARLIER)
        elif may_get_any_id(job):
            found.setdefault(attempt.request_id, _LOST)
    return found
