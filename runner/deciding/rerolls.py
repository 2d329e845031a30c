"""The sheet of re-rolls: marked pictures as rows of a new sheet, with ids of their own. It pays nothing.

A row that says what was paid for is known, and would be held. So each row has `again` with the new batch's
name: it is another row than the first, and the same one wherever the sheet is run, so that it is paid once.
The batch is one of its own: in the first one, a row without another id would be the old job itself.
"""

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from jobs.catalog.image_urls import content_named
from jobs.catalog.registry import find
from jobs.catalog.spec import ModelSpec
from jobs.disk.atomic_file import AtomicFile
from jobs.errors import CannotWrite, UsageProblem
from jobs.problems import Problem
from jobs.review.rerolls import NEW_SEED, SAME_SEED, MadeReroll, Rewording
from jobs.sheets.batch_name import why_not_a_batch_name
from jobs.sheets.images.way import Way
from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import SEEDS, plan
from jobs.sheets.rows.column_names import AGAIN
from jobs.sheets.rows.keys import LONGEST_ID
from jobs.sheets.sheet import open_sheet
from jobs.sheets.source import SheetSource
from jobs.states import JobState
from jobs.workload import Workload

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

OF = "reroll_of"
"""The column that says which job a row is a re-roll of."""
_FIRST = ("id", "model", "prompt", "size", "count", "images", "seed", "optimize")
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
    """Keys, and why they are not in it."""
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
    rows, made = list[Mapping[str, str]](), list[MadeReroll]()
    work, plain = Workload(), Workload()
    left_out = dict[str, str]()
    folders = dict[Path, None]()
    written = dict[tuple[int, Rewording], tuple[str, ...]]()
    for one in wanted:
        words = one.words or Rewording(None, seed, variants)
        job = await store.jobs.by_key(batch.id, one.key)
        model = None if job is None else find(job.model)
        if job is None or model is None:
            left_out[one.key] = "its model is not in the catalogue"
            continue
        if job.state in _WHY_NOT:
            left_out[one.key] = _WHY_NOT[job.state]
            continue
        if (one.job_id, words) not in written:  # several pictures of a series: it is paid whole, and once
            new = [_free(_begin(job.key), taken) for _ in range(words.variants)]
            written[one.job_id, words] = tuple(new)
            places = await places_of(store, job)
            folders |= dict.fromkeys(Path(place).parent for place in places.values())
            rows += [row_of(job, model, key, words, path.stem, places) for key in new]
            for part in (work, plain) if one.words is None else (work,):
                part.add(job.model, words.variants * images_of(job, model, words), words.variants)
        made.append(MadeReroll(one, written[one.job_id, words], words.seed, words.variants))
    return RerollSheet(
        *(path, path.stem, tuple(rows), tuple(made), work, plain),
        *(tuple(left_out.items()), before, tuple(folders)),
    )


async def write_reroll_sheet(store: "Store", sheet: RerollSheet) -> None:
    """Write the sheet, once what is written was read back and says what it should.

    The table knows of it before it is there: what is in a sheet is never written into another one.

    Raises:
        UsageProblem: a row cannot be said by a sheet, or somebody else has written one of them.
        CannotWrite: it cannot be written.
    """
    data = _csv(sheet.rows)
    try:
        await to_thread.run_sync(check_rows, sheet.path.name, sheet.rows, sheet.folders)
        with _reserved(sheet.path), AtomicFile(sheet.path) as file:
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


def row_of(
    job: "JobView", model: ModelSpec, key: str, words: Rewording, again: str, places: Mapping[str, str]
) -> dict[str, str]:
    """A row of the sheet: what the job says, but for what was wished."""
    inputs = json.loads(job.inputs)
    if model.has_seed and words.seed != SAME_SEED:
        inputs[model.vocabulary["seed"]] = _drawn(key, again) if words.seed == NEW_SEED else int(words.seed)
    column = {name: word for word, name in model.vocabulary.items()}
    cells = {column.get(name, name): _cell(value, places) for name, value in inputs.items()}
    typed = {} if words.prompt is None else {"prompt": words.prompt}
    own = {name: text for name, text in job.columns.items() if name not in (AGAIN, OF)}
    cells |= typed | dict(words.cells)
    return {"id": key, "model": job.model} | cells | {AGAIN: again, OF: job.key} | own


def _drawn(key: str, again: str) -> int:
    """A seed that is always the same one for this row: a sheet that is made again is the same sheet."""
    return int.from_bytes(hashlib.sha256(f"{again} {key}".encode()).digest()[:8]) % SEEDS


def _cell(value: Any, places: Mapping[str, str]) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(places.get(item, item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    names = dict.fromkeys(name for row in rows for name in row)
    ordered = [*(name for name in _FIRST if name in names), *(name for name in names if name not in _FIRST)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ordered, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def check_rows(name: str, rows: Sequence[Mapping[str, str]], folders: Sequence[Path]) -> list[str]:
    """Read rows as a run will read them: each has to be what its job was, but for what was wished. Blocks.

    Returns what the models' pages advise against.

    Raises:
        UsageProblem: a sheet cannot say them, or a model does not take them.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(_csv(rows))
        source = SheetSource(path, picture_folders=tuple(folders), way=Way.INSIDE)
        found = list(plan(open_sheet(source), random.Random(0)))  # noqa: S311 - every row has its seed
    for wrong in _differences(rows, found):
        raise UsageProblem(f"A sheet cannot say this re-roll: {wrong} Nothing was written.")
    planned = [one for one in found if isinstance(one, PlannedJob)]
    return list(dict.fromkeys(warning for one in planned for warning in one.warnings))


def _differences(rows: Sequence[Mapping[str, str]], found: Sequence[PlannedJob | Problem]) -> Iterator[str]:
    for one in found:
        if isinstance(one, Problem):
            yield f"{one.column or 'a row'}: {one.message}"
    for row, one in zip(rows, found, strict=False):
        assert isinstance(one, PlannedJob)
        model = find(one.model)
        assert model is not None
        words = {name: word for word, name in model.vocabulary.items()}
        names = {file.name: str(file.path) for file in one.files}
        for name, value in one.inputs.items():
            if _cell(value, names) != row.get(words.get(name, name)):
                yield f"{row['id']}, {words.get(name, name)}."
        if one.key != row["id"]:
            yield f"{row['id']}, id."


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
