"""The manifests that a run writes when it ends: what they say of jobs that did not change is taken over.

Both files are new, and take the place of the old ones when they are whole. What they have is, byte for byte,
what writing every record would give. Whatever is doubtful is no reason to think: every record is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import CancelScope, to_thread

from jobs.disk.atomic_file import AtomicFile, replaceable
from jobs.disk.named_file import open_regular
from jobs.errors import CannotWrite
from jobs.images.stored import Whereabouts
from jobs.manifests.blocks import BlockFile, OldManifest, WrittenManifests, written_of
from jobs.manifests.columns import names_of
from jobs.manifests.export import refusals
from jobs.manifests.formats import FORMATS, ManifestWriter
from jobs.manifests.ownership import in_the_way, manifests_in
from jobs.states import JobState
from jobs.views import ArtifactView, BatchView

if TYPE_CHECKING:
    from jobs.store.bulk.records import Page
    from jobs.store.store import Store

_RECORDS = 1
"""The next number whenever a record tells the same job in other bytes."""
_AT_ONCE = 64
"""So many blocks are taken over in one hop to a worker thread."""


async def write_manifests(
    store: "Store", batch: BatchView, folder: Path, places: Whereabouts | None = None
) -> tuple[Path, ...]:
    """Write `manifest.jsonl` and `manifest.csv` into `folder`, made if missing; paths are relative to it.

    `places` has looked for all images of the batch; without it every record is written.

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
    writing = await _begin(store, batch, paths, places)
    written = await _write(writing, only=writing.changed) if writing.changed is not None else None
    if written is None:
        written = await _write(writing, only=None)
        assert written is not None
    with suppress(CannotWrite):  # then the next run writes every record
        await store.manifests.keep(batch.id, written.as_json())
    return paths


@dataclass(frozen=True, slots=True)
class _Writing:
    """The manifests of a run, before a byte of them is written."""

    store: "Store"
    batch: BatchView
    folder: Path
    places: Whereabouts
    writers: Mapping[Path, ManifestWriter]
    new: WrittenManifests
    """Without blocks yet."""
    before: WrittenManifests | None
    changed: frozenset[int] | None
    """The blocks that tell another thing than before; None where nobody knows."""


async def _begin(
    store: "Store", batch: BatchView, paths: Sequence[Path], places: Whereabouts | None
) -> _Writing:
    left = None
    with suppress(
        CannotWrite
    ):  # a table that takes nothing can still be told of: then every record is written
        left = await store.manifests.begin(batch.id)
    before = None if left is None else written_of(left.written)
    if left is None or before is None or left.columns_changed:
        columns = await store.jobs.columns(batch.id)
    else:
        columns = before.columns
    names = await names_of(store, batch.id, columns)
    writers = {path: FORMATS[path.suffix[1:]].writer(names) for path in paths}
    folder = paths[0].parent
    root = folder if batch.output_root is None else Path(batch.output_root)
    heads = [writer.head.decode() for writer in writers.values()]
    made_by = [_RECORDS, batch.name, str(folder), str(root), *heads]
    changed = None
    if left is not None and places is not None and before is not None and before.made_by == made_by:
        changed = left.changed | before.unsure | await store.manifests.blocks_of(places.nowhere)
    new = WrittenManifests(made_by, columns, frozenset(), {})
    return _Writing(store, batch, folder, places or Whereabouts(root), writers, new, before, changed)


async def _write(writing: _Writing, *, only: frozenset[int] | None) -> WrittenManifests | None:
    """Write new files in the place of the old ones: every record, or `only` these blocks of them.

    None where the old files are not what the last run wrote: they stay as they are.
    """
    with ExitStack() as stack:
        files = await to_thread.run_sync(_opened, stack, writing)
        if only is None:
            unsure: set[int] = set()
            async for page in writing.store.records.pages(writing.batch.id):
                unsure |= await to_thread.run_sync(_write_page, writing, files, page)
        else:
            found = await _write_changed(writing, files, stack, only)
            if found is None:
                return None
            unsure = found
        with CancelScope(shield=True):
            await to_thread.run_sync(_commit, files)
    blocks = {path.name: file.blocks for path, file in files.items()}
    return replace(writing.new, unsure=frozenset(unsure), files=blocks)


async def _write_changed(
    writing: _Writing, files: Mapping[Path, BlockFile], stack: ExitStack, changed: frozenset[int]
) -> set[int] | None:
    """Write these blocks from the table, and take over all others; which of them miss an image."""
    olds = await to_thread.run_sync(_old_files, stack, writing)
    if olds is None:
        return None
    unsure: set[int] = set()
    numbers = sorted(changed.union(*(old.blocks for old in olds.values())))
    for again, group in groupby(numbers, key=changed.__contains__):
        some = list(group)
        if not again:
            for first in range(0, len(some), _AT_ONCE):
                part = some[first : first + _AT_ONCE]
                if not await to_thread.run_sync(_take_over, files, olds, part):
                    return None
            continue
        for number in some:
            await to_thread.run_sync(_skip, olds, number)
            async for page in writing.store.records.block(writing.batch.id, number):
                unsure |= await to_thread.run_sync(_write_page, writing, files, page)
    return unsure if await to_thread.run_sync(_all_read, olds) else None


def _opened(stack: ExitStack, writing: _Writing) -> dict[Path, BlockFile]:
    """The new files, each with its head."""
    files = {}
    for path, writer in writing.writers.items():
        target = replaceable(path)
        assert target is not None, "a pipe is in the way"
        with refusals(path):
            files[path] = BlockFile(stack.enter_context(AtomicFile(target, writing.batch.mark)))
            files[path].file.write(writer.head)
    return files


def _old_files(stack: ExitStack, writing: _Writing) -> dict[Path, OldManifest] | None:
    """The last run's files behind their heads; None where one is not what that run wrote."""
    assert writing.before is not None
    olds = {}
    for path, writer in writing.writers.items():
        blocks = {block.number: block for block in writing.before.files.get(path.name, ())}
        try:
            file = stack.enter_context(open_regular(path))
        except OSError:
            return None
        olds[path] = OldManifest(file, blocks)
        if not olds[path].has(writer.head):
            return None
    alike = len({tuple(old.blocks) for old in olds.values()}) == 1
    return olds if alike else None


def _write_page(writing: _Writing, files: Mapping[Path, BlockFile], page: "Page") -> set[int]:
    """Write these jobs' records; return the blocks that the disk may make tell another thing next time."""
    unsure: set[int] = set()
    name = writing.batch.name
    for number, jobs in groupby(page, key=lambda one: one[0].block):
        block = list(jobs)
        places: dict[ArtifactView, Path | None] = {}
        for job, images, _decisions in block:
            found = {image: writing.places.of(image) for image in images}
            moved = any(place != Path(image.path) for image, place in found.items())
            if moved or (found and job.owner != JobState.SUCCEEDED):
                unsure.add(number)
            places |= found
        for path, file in files.items():
            with refusals(path):
                file.write(
                    number, writing.writers[path].page(name, block, writing.folder, places.__getitem__)
                )
    return unsure


def _take_over(
    files: Mapping[Path, BlockFile], olds: Mapping[Path, OldManifest], numbers: Iterable[int]
) -> bool:
    """Copy these blocks; whether all of them are what was written."""
    for number in numbers:
        for path, old in olds.items():
            found = old.take(number)
            if found is None:
                return False
            with refusals(path):
                files[path].take_over(*found)
    return True


def _skip(olds: Mapping[Path, OldManifest], number: int) -> None:
    for old in olds.values():
        old.skip(number)


def _all_read(olds: Mapping[Path, OldManifest]) -> bool:
    return all(old.is_read() for old in olds.values())


def _commit(files: Mapping[Path, BlockFile]) -> None:
    for path, file in files.items():
        with refusals(path):
            file.file.commit()
