"""What is marked for a re-roll: its price, and the sheets that have what was marked before."""

import json
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.manifests.record import dollars
from runner.page.page import Page
from runner.page.panels.reword import typed

if TYPE_CHECKING:
    from jobs.review.rerolls import MarkedReroll
    from jobs.views import BatchView, JobView
    from runner.deciding.rerolls import RerollSheet

MOST_SHOWN = 50
"""Pictures with their words; the search has all of them."""


async def rerolls(page: Page, batch: "BatchView") -> dict[str, Any]:
    """For one row each where nothing was typed: so many variants of these, `plain`, cost so many times as
    much."""
    from runner.deciding.rerolls import reroll_sheet  # what reads sheets is not needed to show a page

    sheet = await reroll_sheet(page.store, batch, page.folder)
    marked = [one.marked for one in sheet.made]
    low, high = sheet.plain.price_range(batch.prices)
    jobs = [await page.store.jobs.by_key(batch.id, one.key) for one in marked[:MOST_SHOWN]]
    return told(sheet, batch) | {
        "pictures": len(sheet.made),
        "marked": [_marked(one, job) for one, job in zip(marked, jobs, strict=False) if job is not None],
        "plain": {
            "jobs": sheet.plain.jobs,
            "images": sheet.plain.images,
            "low_usd": dollars(low),
            "high_usd": dollars(high),
        },
        "left_out": [{"key": key, "why": why} for key, why in sheet.left_out],
        "not_said": [
            {"key": key, "why": why, "command": page.command("decide", batch.name, "--clear", key)}
            for key, why in sheet.not_said[:MOST_SHOWN]
        ],
        "not_said_count": len(sheet.not_said),
        "made_before": list(sheet.made_before),
        "command": page.command("reroll", batch.name),
    }


def _marked(one: "MarkedReroll", job: "JobView") -> dict[str, Any]:
    model = find(job.model)
    assert model is not None  # else it is left out
    prompt = json.loads(job.inputs).get(model.vocabulary["prompt"], "")
    words = None if one.words is None else typed(one.words)
    return {"key": one.key, "number": one.number, "prompt": prompt, "typed": words}


def told(sheet: "RerollSheet", batch: "BatchView") -> dict[str, Any]:
    """A sheet, and what it would cost."""
    low, high = sheet.price(batch.prices)
    return {
        "sheet": str(sheet.path.absolute()),
        "jobs": sheet.work.jobs,
        "images": sheet.work.images,
        "low_usd": dollars(low),
        "high_usd": dollars(high),
    }
