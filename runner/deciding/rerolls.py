"""The sheet of re-rolls: marked pictures as rows of a new sheet, with ids of their own. It pays nothing.

A row that says what was paid for is known, and would be held. So each row has `again` with the new batch's
name: it is another row than the first, and the same one wherever the sheet is run, so that it is paid once.
The batch is one of its own: in the first one, a row without another id would be the old job itself.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.catalog.image_urls import content_named
from jobs.catalog.registry import find
from jobs.catalog.spec import ModelSpec
from jobs.disk.atomic_file import AtomicFile, atomic_file
from jobs.errors import CannotWrite, UsageProblem
from jobs.review.rerolls import NEW_SEED, MadeReroll, MarkedReroll, Rewording
from jobs.sheets.batch_name import why_not_a_batch_name
from jobs.sheets.rows.keys import LONGEST_ID
from jobs.states import JobState
from jobs.workload import Workload
from runner.deciding.reroll_rows import RowSet, as_csv, check_rows, row_of, sayable

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

_ROOM = len("-r99999")
"""Characters of an id behind its job's key."""
_WHY_NOT = {
    JobState.QUEUED: "it is queued, and comes by itself",
    JobState.SUBMITTING: "it is being sent",
    JobState.RUNNING: "it is on its way, and comes by itself",
    JobState.FETCHING: "it is on its way, and comes by itself",
    JobState.UNCONFIRMED: "it may be paid for already: decide about it first with `nightsheet review`",
}


@dataclass(frozen=True, slots=True)
class RerollSheet:
    """A sheet of re-rolls that may be written."""

    path: Path
    batch: str
    """The batch that it will be run as."""
    rows: tuple[Mapping[str, str], ...]
    made: tuple[MadeReroll, ...]
    work: Workload
    plain: Workload
    """The part of it that `seed` and `variants` are for: nothing was typed for it."""
    left_out: tuple[tuple[str, str], ...]
    """Keys, and why they are not in it yet: what they wait for comes by itself, or was told before."""
    not_said: tuple[tuple[str, str], ...]
    """Keys, and why no sheet has them as they are. They stay marked."""
    made_before: tuple[str, ...]
    """Sheets that have what was marked and written before."""
    folders: tuple[Path, ...]
    """Of pictures of this computer that it names. They stay where they are."""

    def price(self, prices: Mapping[str, Decimal]) -> tuple[Decimal | None, Decimal | None]:
        """USD low and high. A series is paid whole."""
        return self.work.price_range(prices)


async def reroll_sheet(
    store: "Store",
    batch: "BatchView",
    folder: Path,
    *,
    output: Path | None = None,
    seed: str = NEW_SEED,
    variants: int = 1,
) -> RerollSheet:
    """The sheet of all that is marked and in no sheet yet, for `folder` if `output` names no other place.

    What was typed for a picture holds for it; `seed` and `variants` are for the others.

    Raises:
        UsageProblem: there is such a file or batch already, or its name is no batch's.
    """
    marked = await store.rerolls.marked(batch.id)
    wanted = [one for one in marked if one.is_open]
    before = tuple(dict.fromkeys(one.sheet for one in marked if not one.is_open and one.sheet))
    path = await _place(store, batch, folder) if output is None else await _checked(store, output)
    taken = await store.rerolls.known_keys(batch.id)
    parts, left_out, not_said = dict[_Words, _Part](), dict[str, str](), dict[str, str]()
    for one in wanted:
        words = one.words or Rewording(None, seed, variants)
        if (part := parts.get((one.job_id, words))) is not None:
            part.marked.append(one)  # another picture of its series: it is paid whole, and once
            continue
        job = await store.jobs.by_key(batch.id, one.key)
        model = None if job is None else find(job.model)
        if job is None or model is None:
            not_said[one.key] = "its model is not in the catalogue"
        elif job.state in _WHY_NOT:
            left_out[one.key] = _WHY_NOT[job.state]
        else:
            new = tuple(_free(_begin(job.key), taken) for _ in range(words.variants))
            places = await places_of(store, job)
            rows = tuple(row_of(job, model, key, words, path.stem, places) for key in new)
            folders = tuple(dict.fromkeys(Path(place).parent for place in places.values()))
            parts[one.job_id, words] = _Part(job, model, words, new, RowSet(rows, folders), [one])
    every = [*parts.values()]
    kept, wrong = await to_thread.run_sync(sayable, path.name, [part.said for part in every])
    not_said |= {every[place].job.key: f"a sheet cannot say it: {why}" for place, why in wrong.items()}
    return _sheet_of(path, [every[place] for place in kept], left_out, not_said, before)


_Words = tuple[int, Rewording]
"""A job, and what it is made again with."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one job becomes with one set of words."""

    job: "JobView"
    model: ModelSpec
    words: Rewording
    new_keys: tuple[str, ...]
    said: RowSet
    marked: list[MarkedReroll]


def _sheet_of(
    path: Path,
    parts: Sequence[_Part],
    left_out: Mapping[str, str],
    not_said: Mapping[str, str],
    before: tuple[str, ...],
) -> RerollSheet:
    work, plain = Workload(), Workload()
    for part in parts:
        many, words = part.words.variants, part.words
        is_plain = any(one.words is None for one in part.marked)
        for sum_ in (work, plain) if is_plain else (work,):
            sum_.add(part.job.model, many * images_of(part.job, part.model, words), many)
    return RerollSheet(
        path=path,
        batch=path.stem,
        rows=tuple(row for part in parts for row in part.said.rows),
        made=tuple(
            MadeReroll(one, part.new_keys, part.words.seed, part.words.variants)
            for part in parts
            for one in part.marked
        ),
        work=work,
        plain=plain,
        left_out=tuple(left_out.items()),
        not_said=tuple(not_said.items()),
        made_before=before,
        folders=tuple(dict.fromkeys(folder for part in parts for folder in part.said.folders)),
    )


async def write_reroll_sheet(store: "Store", sheet: RerollSheet) -> None:
    """Write the sheet, once what is written was read back and says what it should.

    The table knows of it before it is there: what is in a sheet is never written into another one.

    Raises:
        UsageProblem: a row cannot be said by a sheet, or somebody else has written one of them.
        CannotWrite: it cannot be written.
    """
    data = as_csv(sheet.rows)
    try:
        await to_thread.run_sync(check_rows, sheet.path.name, sheet.rows, sheet.folders)
        with _reserved(sheet.path), atomic_file(sheet.path) as file:
            await to_thread.run_sync(_put, file, data)  # a full disk is found before anything is noted
            if not await store.rerolls.make(str(sheet.path.absolute()), sheet.made):
                raise UsageProblem(
                    "Somebody else wrote a sheet of these re-rolls, or other words for them, just now. "
                    "Nothing was written."
                )
            await to_thread.run_sync(file.commit)
    except OSError as error:
        raise CannotWrite(f"{sheet.path} cannot be written: {error.strerror}.") from error


async def _place(store: "Store", batch: "BatchView", folder: Path) -> Path:
    """The next free name: neither a file nor a batch has it."""
    for number in count(1):
        path = folder / f"{batch.name}-rerolls-{number}.csv"
        if not await to_thread.run_sync(path.exists) and await store.batches.find(path.stem) is None:
            return path
    raise AssertionError("numbers do not end")


async def _checked(store: "Store", output: Path) -> Path:
    if output.suffix.lower() != ".csv":
        raise UsageProblem(f"{output} does not end with .csv. Nothing was written.")
    if sentence := why_not_a_batch_name(output.stem):
        raise UsageProblem(f"{sentence} Nothing was written.", hint="Choose another name with --output.")
    if await to_thread.run_sync(output.exists):
        raise UsageProblem(
            f"{output} exists already, and is left as it is.", hint="Choose another name with --output."
        )
    if await store.batches.find(output.stem) is not None:
        raise UsageProblem(
            f"There is a batch {output.stem!r} already. Nothing was written.",
            hint="A sheet of re-rolls is a batch of its own: choose another name with --output.",
        )
    return output


def _begin(key: str) -> str:
    """How the ids of a job's re-rolls begin: those of a key that is too long for more have its beginning."""
    if len(key) <= LONGEST_ID - _ROOM:
        return f"{key}-r"
    return f"{key[: LONGEST_ID - _ROOM - 9]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}-r"


def _free(begin: str, taken: set[str]) -> str:
    key = next(f"{begin}{number}" for number in count(1) if f"{begin}{number}" not in taken)
    taken.add(key)
    return key


async def places_of(store: "Store", job: "JobView") -> dict[str, str]:
    """Where the pictures of this computer lie that the job names, by their names."""
    inputs = json.loads(job.inputs).values()
    named = [item for value in inputs if isinstance(value, list) for item in value if isinstance(item, str)]
    contents = {name: sha256 for name in named if (sha256 := content_named(name))}
    found = {place.sha256: place.path for place in reversed(await store.jobs.places_of([*contents.values()]))}
    return {name: found[sha256] for name, sha256 in contents.items() if sha256 in found}


def why_not_now(job: "JobView") -> str | None:
    """Why a job cannot be made once more yet; None if it can."""
    return _WHY_NOT.get(job.state)


def images_of(job: "JobView", model: ModelSpec, words: Rewording) -> int:
    """The largest number of images that one row asks for."""
    count = dict(words.cells).get("count")
    if count is None:
        return job.pictures
    return int(count) if count else model.expected_images({})


@contextmanager
def _reserved(path: Path) -> Iterator[None]:
    """An empty file of this name, which nobody else has. Where the block fails it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("xb").close()
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _put(file: AtomicFile, data: bytes) -> None:
    file.write(data)
    file.sync()
