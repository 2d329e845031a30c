"""A job as a record of the manifest: a plain dictionary, whose keys and their order scripts rely on."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.states import JobState
from jobs.views import ArtifactView, JobView

_WITH_ERROR = frozenset({JobState.FAILED, JobState.UNCONFIRMED, JobState.CANCELLED})


def record(
    job: JobView, folder: Path, place_of: Callable[[ArtifactView], Path | None] | None = None
) -> dict[str, Any]:
    """The record of a job in a manifest in `folder`; paths of images are relative to that folder.

    `place_of` says where an image is; one that is nowhere is `missing`, and a warning says so. Only a linked
    job has `same_as`: the key of the job sent instead of this one.
    """
    places = {image.number: Path(image.path) if place_of is None else place_of(image) for image in job.images}
    gone = [f"Picture {number} is no longer on disk." for number, place in places.items() if place is None]
    return {
        "batch": job.batch,
        "key": job.key,
        "row": job.row,
        "model": job.model,
        "state": job.state.value,
        "inputs": json.loads(job.inputs),
        "request_id": job.request_id,
        "attempts": job.attempts,
        "cost_usd": dollars(job.cost_usd),
        "images": [_image(image, places[image.number], folder) for image in job.images],
        "error": _error(job),
        "warnings": [*job.warnings, *gone],
        "columns": dict(job.columns),
        "created_at": moment(job.created_at),
        "submitted_at": moment(job.submitted_at),
        "finished_at": moment(job.finished_at),
        **({} if job.twin is None else {"same_as": job.twin.key}),
    }


def _image(image: ArtifactView, place: Path | None, folder: Path) -> dict[str, Any]:
    return {
        "path": relative(image.path if place is None else str(place), folder),
        "url": image.url,
        "sha256": image.sha256,
        "bytes": image.bytes,
        "width": image.width,
        "height": image.height,
        "content_type": image.content_type,
        **({"missing": True} if place is None else {}),
    }


def _error(job: JobView) -> dict[str, Any] | None:
    if job.failure is None or job.state not in _WITH_ERROR:
        return None
    return {"kind": job.failure.kind.value, "code": job.failure.code, "message": job.failure.message}


def relative(path: str, folder: Path) -> str:
    """`path` relative to `folder`, with forward slashes; absolute where it is on another drive."""
    try:
        found = os.path.relpath(path, folder)
    except ValueError:
        found = path
    return found.replace(os.sep, "/")


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, with Z."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dollars(value: Decimal | None) -> float | None:
    """USD as a JSON number, without loss: money is kept in whole millionths."""
    return None if value is None else float(value)
