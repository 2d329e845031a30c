"""A job as a record of the manifest: a plain dictionary, whose keys and their order scripts rely on."""

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.images.stored import plainly_below
from jobs.review.decisions import DecisionView, decision_on, review_of
from jobs.states import JobState
from jobs.views import ArtifactView, JobView

if TYPE_CHECKING:
    from jobs.store.bulk.records import StoredJob

_WITH_ERROR = frozenset({JobState.FAILED, JobState.UNCONFIRMED, JobState.CANCELLED})


def record(
    job: JobView, folder: Path, place_of: Callable[[ArtifactView], Path | None] | None = None
) -> dict[str, Any]:
    """The record of a job in a manifest in `folder`; paths of images are relative to that folder.

    `place_of` says where an image is; one that is nowhere is `missing`, and a warning says so. Only a linked
    job has `same_as`: the key of the job sent instead of this one; only an image that was decided about has
    a `review`.
    """
    failure = job.failure
    return _record(
        job.batch,
        job,
        json.loads(job.inputs),
        job.images,
        job.decisions,
        None if failure is None else (failure.kind.value, failure.code, failure.message),
        job.warnings,
        dict(job.columns),
        dollars(job.cost_usd),
        (moment(job.created_at), moment(job.submitted_at), moment(job.finished_at)),
        None if job.twin is None else job.twin.key,
        folder,
        place_of,
    )


def stored_record(
    batch: str,
    job: "StoredJob",
    images: Sequence[ArtifactView],
    decisions: Sequence[DecisionView],
    folder: Path,
    place_of: Callable[[ArtifactView], Path | None],
) -> dict[str, Any]:
    """The same of a job as the table keeps it, for the many of a manifest."""
    return _record(
        batch,
        job,
        json.loads(job.inputs),
        images,
        decisions,
        None if job.error_kind is None else (job.error_kind, job.error_code, job.error_message or ""),
        texts_of(job.warnings),
        json.loads(job.columns),
        stored_dollars(job.cost_millionths),
        (_moment_of(job.created_at), _moment_of(job.submitted_at), _moment_of(job.finished_at)),
        job.same_as,
        folder,
        place_of,
    )


def _record(
    batch: str,
    job: "JobView | StoredJob",
    inputs: dict[str, Any],
    images: Sequence[ArtifactView],
    decisions: Sequence[DecisionView],
    error: tuple[str, str | None, str] | None,
    warnings: Sequence[str],
    columns: dict[str, str],
    cost_usd: float | None,
    times: tuple[str | None, str | None, str | None],
    same_as: str | None,
    folder: Path,
    place_of: Callable[[ArtifactView], Path | None] | None,
) -> dict[str, Any]:
    """All keys, in their order."""
    told, gone = images_told(images, decisions, folder, place_of)
    found = {
        "batch": batch,
        "key": job.key,
        "row": job.row,
        "model": job.model,
        "state": str(job.state),
        "inputs": inputs,
        "request_id": job.request_id,
        "attempts": job.attempts,
        "cost_usd": cost_usd,
        "images": told,
        "error": None,
        "warnings": [*warnings, *gone],
        "columns": columns,
        "created_at": times[0],
        "submitted_at": times[1],
        "finished_at": times[2],
    }
    if error is not None and job.state in _WITH_ERROR:
        found["error"] = dict(zip(("kind", "code", "message"), error, strict=True))
    if same_as is not None:
        found["same_as"] = same_as
    return found


def images_told(
    images: Sequence[ArtifactView],
    decisions: Sequence[DecisionView],
    folder: Path,
    place_of: Callable[[ArtifactView], Path | None] | None,
) -> tuple[list[dict[str, Any]], list[str]]:
    """The images of a job as its record has them, and its warnings of those that are nowhere."""
    told: list[dict[str, Any]] = []
    gone: list[str] = []
    for image in images:
        place = Path(image.path) if place_of is None else place_of(image)
        told.append(_image(image, place, folder) | _review(decisions, image))
        if place is None:
            gone.append(f"Picture {image.number} is no longer on disk.")
    return told, gone


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


def _review(decisions: Sequence[DecisionView], image: ArtifactView) -> dict[str, Any]:
    decision = decision_on(decisions, image.number, image.sha256)
    return {} if decision is None else {"review": review_of(decision)}


def relative(path: str, folder: Path) -> str:
    """`path` relative to `folder`, with forward slashes; absolute where it is on another drive."""
    if (rest := plainly_below(path, folder)) is not None:
        return rest
    try:
        found = os.path.relpath(path, folder)
    except ValueError:
        found = path
    return found.replace(os.sep, "/")


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, with Z."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def _moment_of(stored: str | None) -> str | None:
    """The same of a time as the table keeps it; jobs that were loaded together have one time."""
    return None if stored is None else moment(datetime.fromisoformat(stored))


@lru_cache(maxsize=64)
def texts_of(stored: str) -> tuple[str, ...]:
    """A list of texts as the table keeps it."""
    return tuple(json.loads(stored))


def dollars(value: Decimal | None) -> float | None:
    """USD as a JSON number, without loss: money is kept in whole millionths."""
    return None if value is None else float(value)


def stored_dollars(millionths: int | None) -> float | None:
    """The same of money as the table keeps it."""
    return None if millionths is None else millionths / 1_000_000
