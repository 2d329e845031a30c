"""Whether a picture that is recorded is still on disk: somebody may have deleted, moved or changed it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.views import ArtifactView, JobView


def is_on_disk(picture: "ArtifactView") -> bool:
    """Going by its size, which costs one look: a picture that was changed and is as long is not noticed."""
    try:
        return Path(picture.path).stat().st_size == picture.bytes
    except OSError:
        return False


def missing_files(job: "JobView") -> tuple[str, ...]:
    """Where pictures of a job should lie, and do not."""
    return tuple(image.path for image in job.images if not is_on_disk(image))
