"""A job as a record of the manifest: a plain dictionary, whose keys and their order scripts rely on."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs.states import JobState
from jobs.views import ArtifactView, JobView

_WITH_ERROR = frozenset({JobState.FAILED, JobState.UNCONFIRMED, JobState.CANCELLED})


def record(job: JobView, folder: Path) -> dict[str, Any]:
    """The record of a job in a manifest in `folder`; paths of images are relative to that folder.

    Only a linked job has `same_as`: the key of the job sent instead of this one.
    """
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
        "images": [_image(image, folder) for image in job.images],
        "error": _error(job),
        "warnings": list(job.warnings),
        "columns": dict(job.columns),
        "created_at": moment(job.created_at),
        "submitted_at": moment(job.submitted_at),
        "finished_at": moment(job.finished_at),
        **({} if job.twin is None else {"same_as": job.twin.key}),
    }


def _image(image: ArtifactView, folder: Path) -> dict[str, Any]:
    return {
        "path": relative(image.path, folder),
        "url": image.url,
        "sha256": image.sha256,
        "bytes": image.bytes,
        "width": image.width,
        "height": image.height,
        "content_type": image.content_type,
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
