"""Whether recorded images are still on disk: somebody may have deleted, moved or changed them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.views import ArtifactView, JobView


def is_on_disk(image: "ArtifactView") -> bool:
    """Whether the file has the recorded size. One `stat`; a change of the same length goes unnoticed."""
    try:
        return Path(image.path).stat().st_size == image.bytes
    except OSError:
        return False


def missing_files(job: "JobView") -> tuple[str, ...]:
    """The recorded paths of a job's images that are not on disk."""
    return tuple(image.path for image in job.images if not is_on_disk(image))
