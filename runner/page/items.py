"""What the page shows of a job, as JSON. Foreign texts go out as they are: the page shows them as text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyio import to_thread

from jobs.catalog.registry import find
from jobs.images.files import is_below
from jobs.manifests.record import dollars, moment, relative
from jobs.review.decisions import ITSELF, DecisionView, review_of
from jobs.review.rerolls import Rewording
from jobs.states import JobState
from jobs.tiles import TileDetails, TileImage
from jobs.views import BatchView, JobView
from runner.page.page import Page
from runner.page.panels.reword import typed
from runner.page.pictures import file_state, moved_along


async def items(
    page: Page, batch: BatchView, found: list[TileDetails], words: Mapping[tuple[int, int], Rewording]
) -> list[dict[str, Any]]:
    """The items of these jobs, in their order; `words` were typed for their next re-roll."""
    return await to_thread.run_sync(lambda: [_item(page, batch, one, words) for one in found])


def _item(
    page: Page, batch: BatchView, one: TileDetails, words: Mapping[tuple[int, int], Rewording]
) -> dict[str, Any]:
    job = one.job
    root, inputs = page.root_of(batch), json.loads(job.inputs)
    model = find(job.model)
    prompt = inputs.pop(model.vocabulary["prompt"], "") if model is not None else ""
    return {
        "id": job.id,
        "key": job.key,
        "row": job.row,
        "model": job.model,
        "state": job.state.value,
        "prompt": prompt,
        "inputs": inputs,
        "columns": dict(job.columns),
        "words": {number: typed(said) for (job_id, number), said in words.items() if job_id == job.id},
        "warnings": list(job.warnings),
        "images": [_image(page, root, batch, image, job) for image in one.images],
        "decision": None if one.images else _decision(job, ITSELF, None),
        "pictures": job.pictures,
        "error": _error(job),
        "attempts": job.attempts,
        "request_id": job.request_id,
        "cost_usd": dollars(job.cost_usd),
        "estimate_usd": dollars(job.estimate_usd),
        "same_as": None if job.twin is None else job.twin.key,
        "held": None if job.held is None else job.held.batch,
        "submitted_at": moment(job.submitted_at),
        "finished_at": moment(job.finished_at),
        "command": _command(page, batch, job),
    }


def _image(page: Page, root: Path, batch: BatchView, one: TileImage, job: JobView) -> dict[str, Any]:
    image = moved_along(root, batch, one.image)
    if is_below(root, path := Path(image.path)):
        page.folders.show(path.parent)  # before its file is looked at: what happens since is noticed
    return {
        "id": one.id,
        "number": image.number,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "path": relative(image.path, root),
        "file": file_state(root, image).value,
        "decision": _decision(job, image.number, image.sha256),
    }


def _decision(job: JobView, number: int, sha256: str | None) -> dict[str, Any] | None:
    """What was decided about an image, or about an older one in its place."""
    found: DecisionView | None = next((one for one in job.decisions if one.number == number), None)
    return None if found is None else review_of(found) | {"older": found.sha256 != sha256}


def _error(job: JobView) -> dict[str, Any] | None:
    if job.failure is None:
        return None
    return {"kind": job.failure.kind.value, "code": job.failure.code, "message": job.failure.message}


def _command(page: Page, batch: BatchView, job: JobView) -> str | None:
    """What a person may type about the job; it says itself what it costs, and asks."""
    if job.state is JobState.UNCONFIRMED:
        return page.command("review", batch.name, "--verbose")
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        return page.command("retry", batch.name, "--job", job.key)
    return None
