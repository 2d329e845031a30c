"""Puts records into a file, whole or not at all, or wherever else bytes go. Memory does not grow with jobs.

Encoding and writing are done in a worker thread, some hundred jobs at a time, so that a long manifest does
not hold up whatever else the process does.
"""

import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from anyio import CancelScope, to_thread

from jobs.errors import CannotWrite
from jobs.manifests.atomic_file import file_behind, refused
from jobs.manifests.columns import Names, names_of
from jobs.manifests.formats import FORMATS, ManifestFormat, Writer
from jobs.manifests.ownership import in_the_way, manifests_in
from jobs.manifests.record import record
from jobs.views import BatchView, JobView

if TYPE_CHECKING:
    from jobs.store.store import Store

_CHUNK = 200
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


async def write_manifests(store: "Store", batch: BatchView, folder: Path) -> tuple[Path, ...]:
    """Write `manifest.jsonl` and `manifest.csv` into `folder`, made if missing; paths are relative to it.

    Raises:
        CannotWrite: a file cannot be written, or would take the place of one that is no manifest of ours;
            what was there before is left as it was.
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
    target = await to_thread.run_sync(file_behind, path)
    # A pipe or a device is written to as it is: there is nothing to replace.
    part = None if target is None else target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with _Destination(path, part) as file:
        await write_to_stream(store, batch, form, file.write, folder=path.parent, everything=everything)
        if target is not None:
            with CancelScope(shield=True):
                await to_thread.run_sync(file.finish, target)


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
    names = await names_of(store.jobs.each(batch.id, everything=everything)) if form.needs_names else Names()
    writer = form.writer(names)
    await to_thread.run_sync(write, writer.head)
    async for chunk in _chunks(store.jobs.each(batch.id, everything=everything)):
        await to_thread.run_sync(_pass_on, write, writer, chunk, folder)


def _pass_on(write: Callable[[bytes], object], writer: Writer, jobs: Sequence[JobView], folder: Path) -> None:
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


class _Destination:
    """Where the bytes go: a part file that vanishes unless it is finished, or `path` itself."""

    def __init__(self, path: Path, part: Path | None) -> None:
        self._path = path
        self._part = part
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        try:
            if self._part is None:
                self._descriptor = os.open(self._path, os.O_WRONLY)
            else:
                self._descriptor = os.open(self._part, _NEW, 0o666)
        except OSError as error:
            raise refused(self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._close()
        if self._part is not None:
            with suppress(OSError):
                self._part.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        assert self._descriptor is not None
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise refused(self._path, error) from error

    def finish(self, target: Path) -> None:
        """On disk first, then under its name."""
        assert self._part is not None
        assert self._descriptor is not None
        try:
            os.fsync(self._descriptor)
            self._close()  # an open file cannot be renamed on Windows
            self._part.replace(target)
        except OSError as error:
            raise refused(self._path, error) from error
        _sync_folder(target.parent)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
