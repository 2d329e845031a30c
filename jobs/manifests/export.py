"""Exports records to a file, whole or not at all, or to a stream. Memory does not grow with jobs.

A worker thread encodes and writes them, some hundred jobs at a time, so that a long manifest does not delay
other tasks of the process.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from anyio import CancelScope, to_thread

from jobs.atomic_file import AtomicFile, cannot_write, replaceable, write_all
from jobs.errors import CannotWrite
from jobs.manifests.columns import ColumnNames, column_names_of
from jobs.manifests.formats import FORMATS, ManifestFormat, ManifestWriter
from jobs.manifests.ownership import in_the_way, manifests_in
from jobs.manifests.record import record
from jobs.views import BatchView, JobView

if TYPE_CHECKING:
    from jobs.store.store import Store

_CHUNK = 200


async def write_manifests(store: "Store", batch: BatchView, folder: Path) -> tuple[Path, ...]:
    """Write `manifest.jsonl` and `manifest.csv` into `folder`, made if missing; paths are relative to it.

    Raises:
        CannotWrite: a file cannot be written, or would replace one that is no manifest of Nightsheet's; what
            was there before is left as it was.
    """
    paths = manifests_in(folder)
    for path in paths:
        if (trouble := await to_thread.run_sync(in_the_way, path)) is not None:
            raise CannotWrite(
                f"{trouble}.",
                hint="Nothing is lost: move it away and run again, or `nightsheet export --output FILE`.",
            )
        await write_export(store, batch, FORMATS[path.suffix[1:]], path)
    return paths


async def write_export(
    store: "Store", batch: BatchView, form: ManifestFormat, path: Path, *, everything: bool = False
) -> None:
    """Write one manifest to `path`, whole or not at all; its folder is made if missing.

    `everything` adds the jobs that the sheet no longer has.

    Raises:
        CannotWrite: it cannot be written; a file that was there before is left as it was.
    """
    target = await to_thread.run_sync(replaceable, path)
    file: AtomicFile | _Device = _Device(path) if target is None else AtomicFile(target, batch.mark)

    def write(data: bytes) -> None:
        with _refusals(path):
            file.write(data)

    def commit() -> None:
        with _refusals(path):
            file.commit()

    with ExitStack() as stack:
        with _refusals(path):
            stack.enter_context(file)
        await write_to_stream(store, batch, form, write, folder=path.parent, everything=everything)
        with CancelScope(shield=True):
            await to_thread.run_sync(commit)


async def write_to_stream(
    store: "Store",
    batch: BatchView,
    form: ManifestFormat,
    write: Callable[[bytes], object],
    *,
    folder: Path,
    everything: bool = False,
) -> None:
    """Give the records to `write`, in a worker thread. Paths are relative to `folder`."""
    names = (
        await column_names_of(store.jobs.each(batch.id, everything=everything))
        if form.needs_names
        else ColumnNames()
    )
    writer = form.writer(names)
    await to_thread.run_sync(write, writer.head)
    async for chunk in _chunks(store.jobs.each(batch.id, everything=everything)):
        await to_thread.run_sync(_pass_on, write, writer, chunk, folder)


def _pass_on(
    write: Callable[[bytes], object], writer: ManifestWriter, jobs: Sequence[JobView], folder: Path
) -> None:
    write(b"".join(writer.line(record(job, folder)) for job in jobs))


async def _chunks(jobs: AsyncIterator[JobView]) -> AsyncIterator[list[JobView]]:
    chunk: list[JobView] = []
    async for job in jobs:
        chunk.append(job)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class _Device:
    """A pipe or a device: written to directly, there is nothing to replace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_WRONLY)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        write_all(self._descriptor, data)

    def commit(self) -> None:
        """Do nothing: the bytes are in their place already."""


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Raise the disk's errors as errors for the user."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
