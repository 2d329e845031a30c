"""Reads a manifest back: one value a job, its images at paths that can be opened."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import UsageProblem

_USUAL = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class ManifestReview:
    """What a person decided about an image."""

    verdict: str | None
    """accepted, rejected or reroll."""
    stars: int
    note: str


@dataclass(frozen=True, slots=True)
class ManifestImage:
    """One image of a job."""

    path: Path
    """Where it lies, as seen from here."""
    url: str
    sha256: str
    bytes: int
    width: int
    height: int
    content_type: str
    review: ManifestReview | None = None


@dataclass(frozen=True, slots=True)
class ManifestError:
    """Why a job has no images."""

    kind: str
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """One job, as the manifest has it. Times are ISO 8601 in UTC."""

    batch: str
    key: str
    row: int
    model: str
    state: str
    inputs: Mapping[str, Any]
    """As they were sent."""
    request_id: str | None
    attempts: int
    cost_usd: float | None
    images: tuple[ManifestImage, ...]
    error: ManifestError | None
    warnings: tuple[str, ...]
    columns: Mapping[str, Any]
    """The sheet's own."""
    created_at: str | None
    submitted_at: str | None
    finished_at: str | None
    same_as: str | None = None
    """The key of the job that was sent instead of this one."""


def read_manifest(path: str | Path) -> Iterator[ManifestRecord]:
    """The records of a manifest in JSON Lines, or of a batch's folder, in sheet order.

    Raises:
        UsageProblem: it cannot be read, or is no such manifest.
    """
    place = Path(path)
    file = place / _USUAL if place.is_dir() else place
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield _record(json.loads(line), file.parent)
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageProblem(
            f"{file} is no manifest in JSON Lines.",
            hint="A run writes manifest.jsonl into its batch's folder.",
        ) from error


def _record(told: Mapping[str, Any], folder: Path) -> ManifestRecord:
    error = told["error"]
    images = (
        ManifestImage(folder / image["path"], **{name: image[name] for name in _IMAGE}, review=_review(image))
        for image in told["images"]
    )
    return ManifestRecord(
        **{name: told[name] for name in _AS_THEY_ARE},
        images=tuple(images),
        error=None if error is None else ManifestError(error["kind"], error["code"], error["message"]),
        warnings=tuple(told["warnings"]),
        same_as=told.get("same_as"),
    )


def _review(image: Mapping[str, Any]) -> ManifestReview | None:
    told = image.get("review")
    return None if told is None else ManifestReview(told["verdict"], told["stars"], told["note"])


_IMAGE = ("url", "sha256", "bytes", "width", "height", "content_type")
_AS_THEY_ARE = (
    *("batch", "key", "row", "model", "state", "inputs", "request_id", "attempts", "cost_usd", "columns"),
    *("created_at", "submitted_at", "finished_at"),
)
