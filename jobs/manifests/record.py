"""A job as the manifest's record: a plain dictionary, with the keys and their order that scripts rely on."""

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
    """What a manifest in `folder` says of a job; its pictures' paths are relative to that folder.

    `same_as` is there for a linked job alone: the key of the one that was sent in its stead.
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
    """`path` as seen from `folder`, with forward slashes; absolute where there is no way (another drive)."""
    try:
        found = os.path.relpath(path, folder)
    except ValueError:
        found = path
    return found.replace(os.sep, "/")


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, with Z."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dollars(value: Decimal | None) -> float | None:
    """USD as the JSON number that reads the same: money is kept in whole millionths."""
    return None if value is None else float(value)
