"""Exports records to a file, whole or not at all, or to a stream. Memory does not grow with jobs.

A worker thread encodes and writes them, some hundred jobs at a time, so that a long manifest does not delay
other tasks of the process.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from anyio import CancelScope, to_thread

from jobs.disk.atomic_file import AtomicFile, atomic_file, cannot_write, replaceable, write_all
from jobs.images.stored import Whereabouts
from jobs.manifests.columns import ColumnNames, column_names_of
from jobs.manifests.formats import ManifestFormat, ManifestWriter
from jobs.manifests.found import pass_found
from jobs.review.search import Search
from jobs.views import ArtifactView, BatchView

if TYPE_CHECKING:
    from jobs.store.bulk.records import Page
    from jobs.store.store import Store

Write = Callable[[bytes], object]


async def write_export(
    store: "Store",
    batch: BatchView,
    form: ManifestFormat,
    path: Path,
    *,
    places: Whereabouts | None = None,
    everything: bool = False,
    search: Search = (),
) -> None:
    """Write one manifest to `path`, whole or not at all; its folder is made if missing.

    `everything` adds the jobs that the sheet no longer has; a `search` leaves what it finds.

    Raises:
        CannotWrite: it cannot be written; a file that was there before is left as it was.
    """
    await _write_files(store, batch, {path: form}, places, everything=everything, search=search)


async def write_to_stream(
    store: "Store",
    batch: BatchView,
    form: ManifestFormat,
    write: Write,
    *,
    folder: Path,
    places: Whereabouts | None = None,
    everything: bool = False,
    search: Search = (),
) -> None:
    """Give the records to `write`, in a worker thread. Paths are relative to `folder`."""
    sinks = [(write, form)]
    await _pass_all(store, batch, sinks, places, folder=folder, everything=everything, search=search)


async def _write_files(
    store: "Store",
    batch: BatchView,
    forms: Mapping[Path, ManifestFormat],
    places: Whereabouts | None,
    *,
    everything: bool = False,
    search: Search = (),
) -> None:
    """Write manifests of one folder, in one pass over the jobs; each is whole or as it was."""
    files: dict[Path, AtomicFile | _Device] = {}
    with ExitStack() as stack:
        for path in forms:
            target = await to_thread.run_sync(replaceable, path)
            with refusals(path):
                if target is None:
                    files[path] = stack.enter_context(_Device(path))
                else:
                    files[path] = stack.enter_context(atomic_file(target, batch.mark))
        sinks = [(partial(_write, path, files[path]), form) for path, form in forms.items()]
        folder = next(iter(forms)).parent
        await _pass_all(store, batch, sinks, places, folder=folder, everything=everything, search=search)
        with CancelScope(shield=True):
            for path, file in files.items():
                await to_thread.run_sync(_commit, path, file)


async def _pass_all(
    store: "Store",
    batch: BatchView,
    sinks: Sequence[tuple[Write, ManifestFormat]],
    places: Whereabouts | None,
    *,
    folder: Path,
    everything: bool,
    search: Search,
) -> None:
    names = ColumnNames()
    if any(form.needs_names for _, form in sinks):
        names = await column_names_of(store, batch.id, everything=everything)
    writers = [(write, form.writer(names)) for write, form in sinks]
    if places is None:
        places = Whereabouts(folder if batch.output_root is None else Path(batch.output_root))
    for write, writer in writers:
        await to_thread.run_sync(write, writer.head)
    if search:
        await pass_found(store.tiles.found(batch.id, search), writers, folder, places)
        return
    async for page in store.records.pages(batch.id, everything=everything):
        await to_thread.run_sync(_pass_on, writers, batch.name, page, folder, places)


def _pass_on(
    writers: Sequence[tuple[Write, ManifestWriter]],
    batch: str,
    page: "Page",
    folder: Path,
    places: Whereabouts,
) -> None:
    place_of: Callable[[ArtifactView], Path | None] = places.of
    if len(writers) > 1:  # each image is looked for once
        place_of = {
            image: places.of(image) for _job, images, _decisions in page for image in images
        }.__getitem__
    for write, writer in writers:
        write(writer.page(batch, page, folder, place_of))


def _write(path: Path, file: "AtomicFile | _Device", data: bytes) -> None:
    with refusals(path):
        file.write(data)


def _commit(path: Path, file: "AtomicFile | _Device") -> None:
    with refusals(path):
        file.commit()


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
def refusals(path: Path) -> Iterator[None]:
    """Raise the disk's errors as errors for the user."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
