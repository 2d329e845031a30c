"""Writes data sets, whole or not at all, and sidecars. Memory does not grow with the number of images.

A worker thread reads and writes, some jobs at a time, so that other tasks of the process go on.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path

from anyio import to_thread

from jobs.datasets.columns import DataColumn, ImageRow, values_of
from jobs.datasets.imagefolder import FolderNotes, ImageFolder
from jobs.datasets.metadata import columns_beside_files
from jobs.datasets.names import image_name
from jobs.datasets.pictures import ImageSource
from jobs.datasets.ways import PicturesWay
from jobs.datasets.webdataset import Shards
from jobs.datasets.xmp import SidecarCounts, packet, write_beside
from jobs.disk.atomic_file import cannot_write, replacement
from jobs.disk.own_folder import own_folder
from jobs.errors import UsageProblem
from jobs.images.files import SUFFIXES
from jobs.manifests.record import relative
from jobs.views import JobView

_CHUNK = 20
"""Jobs between two moments at which an export can be interrupted."""

Jobs = AsyncIterator[JobView]
Columns = tuple[DataColumn, ...]


async def write_parquet(jobs: Jobs, columns: Columns, source: ImageSource, path: Path, *, embed: bool) -> int:
    """Write a row an image, and return how many. `embed`: with its bytes, else with its path.

    A path is relative to the file's folder.

    Raises:
        UsageProblem: pyarrow is not installed.
        CannotWrite: it cannot be written; a file that was there before is left as it was.
    """
    try:
        from jobs.datasets.parquet import ParquetRows
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyarrow":
            raise
        raise UsageProblem(
            "Parquet is written by pyarrow, which is not installed. Nothing was written.",
            hint="Install it beside Nightsheet: python -m pip install pyarrow",
        ) from error
    with replacement(path) as part, ParquetRows(part, columns, embed=embed) as rows:

        def take(row: ImageRow) -> bool:
            if not embed:
                place = source.place(row.image)
                if place is not None:
                    rows.add(relative(str(place), path.parent), values_of(columns, row))
                return place is not None
            found = source.read(row.image)
            if found is not None:
                rows.add({"bytes": found.data, "path": file_name(row)}, values_of(columns, row))
            return found is not None

        return await _each(jobs, take)


async def write_imagefolder(
    jobs: Jobs,
    columns: Columns,
    source: ImageSource,
    folder: Path,
    *,
    split: str,
    way: PicturesWay,
    xmp: bool,
) -> tuple[int, FolderNotes]:
    """Write images, or links to them, with their metadata and, with `xmp`, a sidecar each; return how many.

    Raises:
        UsageProblem: the folder is not one that an export wrote.
        CannotWrite: it cannot be written; a folder that was there before is left as it was.
    """
    columns = columns_beside_files(columns)
    with own_folder(folder, "imagefolder") as part:
        with ImageFolder(part / split, columns, way) as images:

            def take(row: ImageRow) -> bool:
                found = source.read(row.image)
                if found is not None:
                    sidecar = packet(row) if xmp else None
                    images.add(file_name(row), found, values_of(columns, row), sidecar)
                return found is not None

            count = await _each(jobs, take)
        return count, images.notes


async def write_webdataset(jobs: Jobs, columns: Columns, source: ImageSource, folder: Path) -> int:
    """Write tar files of images with what is known of each, and return how many.

    Raises:
        UsageProblem: the folder is not one that an export wrote.
        CannotWrite: it cannot be written; a folder that was there before is left as it was.
    """
    with own_folder(folder, "webdataset") as part, Shards(part) as shards:

        def take(row: ImageRow) -> bool:
            found = source.read(row.image)
            if found is not None:
                name = image_name(row.job.key, row.image.number)
                shards.add(name, SUFFIXES[row.image.content_type], found.data, values_of(columns, row))
            return found is not None

        return await _each(jobs, take)


async def write_sidecars(jobs: Jobs, source: ImageSource) -> SidecarCounts:
    """Write a sidecar beside each image in the output folder; the images are not touched.

    Raises:
        CannotWrite: one cannot be written.
    """
    counts = SidecarCounts()

    def take(row: ImageRow) -> bool:
        found = source.read(row.image)
        if found is None:
            return False
        try:
            is_written = write_beside(found.path, packet(row))
        except OSError as error:
            raise cannot_write(found.path, error) from error
        counts.written += is_written
        counts.left += not is_written
        return is_written

    await _each(jobs, take)
    return counts


def file_name(row: ImageRow) -> str:
    """The name of an image's copy."""
    return image_name(row.job.key, row.image.number) + SUFFIXES.get(row.image.content_type, "")


async def _each(jobs: Jobs, take: Callable[[ImageRow], bool]) -> int:
    count, chunk = 0, list[JobView]()
    async for job in jobs:
        chunk.append(job)
        if len(chunk) == _CHUNK:
            count += await to_thread.run_sync(partial(_take_all, take, chunk))
            chunk = []
    count += await to_thread.run_sync(partial(_take_all, take, chunk))
    return count


def _take_all(take: Callable[[ImageRow], bool], jobs: Iterable[JobView]) -> int:
    return sum(take(row) for job in jobs for row in _rows(job))


def _rows(job: JobView) -> Iterable[ImageRow]:
    inputs = json.loads(job.inputs)
    return (ImageRow(job, image, inputs) for image in job.images)
