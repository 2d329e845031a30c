"""Rows of a sheet of re-rolls: what a job says as cells, and whether a run will read it so."""

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.catalog.spec import ModelSpec
from jobs.errors import SheetProblems, UsageProblem
from jobs.problems import Problem
from jobs.review.rerolls import NEW_SEED, SAME_SEED, Rewording
from jobs.sheets.images.way import Way
from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import SEEDS, plan
from jobs.sheets.rows.column_names import AGAIN
from jobs.sheets.sheet import open_sheet
from jobs.sheets.source import SheetSource

if TYPE_CHECKING:
    from jobs.views import JobView

OF = "reroll_of"
"""The column that says which job a row is a re-roll of."""
_FIRST = ("id", "model", "prompt", "size", "count", "images", "seed", "optimize")

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowSet:
    """Rows that are written together or not at all: those of one job with the same words."""

    rows: tuple[Row, ...]
    folders: tuple[Path, ...]
    """Of the pictures of this computer that they name."""


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


def as_csv(rows: Sequence[Row]) -> bytes:
    """The sheet."""
    names = dict.fromkeys(name for row in rows for name in row)
    ordered = [*(name for name in _FIRST if name in names), *(name for name in names if name not in _FIRST)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ordered, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def check_rows(name: str, rows: Sequence[Row], folders: Sequence[Path]) -> list[str]:
    """Read rows as a run will read them: each has to be what its job was, but for what was wished. Blocks.

    Returns what the models' pages advise against.

    Raises:
        UsageProblem: a sheet cannot say them, or a model does not take them.
    """
    found = _read(name, rows, folders)
    for wrong in _differences(rows, found):
        raise UsageProblem(f"A sheet cannot say this re-roll: {wrong} Nothing was written.")
    planned = [one for one in found if isinstance(one, PlannedJob)]
    return list(dict.fromkeys(warning for one in planned for warning in one.warnings))


def sayable(name: str, sets: Sequence[RowSet]) -> tuple[list[int], dict[int, str]]:
    """Which sets one sheet can say, all at once, and of each other one why not. Blocks.

    What is wrong is looked for by halves: a sheet with one such row among thousands is read a few times.
    """
    if not sets:
        return [], {}
    wrong = _why_not(name, sets)
    if wrong is None:
        return [*range(len(sets))], {}
    if len(sets) == 1:
        return [], {0: wrong}
    half = len(sets) // 2
    kept, why = sayable(name, sets[:half])
    others, why_others = sayable(name, sets[half:])
    later = [half + one for one in others]
    why |= {half + one: wrong for one, wrong in why_others.items()}
    if _why_not(name, [sets[one] for one in (*kept, *later)]) is None:
        return [*kept, *later], why
    for one in later:  # each half can be said, and not both: a column of one is a name in braces of another
        if (wrong := _why_not(name, [sets[other] for other in (*kept, one)])) is None:
            kept.append(one)
        else:
            why[one] = f"not beside the others, though in another sheet: {wrong}"
    return kept, why


def _why_not(name: str, sets: Sequence[RowSet]) -> str | None:
    rows = [row for one in sets for row in one.rows]
    if not rows:
        return None
    folders = dict.fromkeys(folder for one in sets for folder in one.folders)
    return next(_differences(rows, _read(name, rows, [*folders])), None)


def _read(name: str, rows: Sequence[Row], folders: Sequence[Path]) -> list[PlannedJob | Problem]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(as_csv(rows))
        source = SheetSource(path, picture_folders=tuple(folders), way=Way.INSIDE)
        try:
            return list(plan(open_sheet(source), random.Random(0)))  # noqa: S311 - every row has its seed
        except SheetProblems as wrong:
            return [*wrong.problems] or [Problem(name, None, None, None, wrong.message, wrong.hint)]


def _differences(rows: Sequence[Row], found: Sequence[PlannedJob | Problem]) -> Iterator[str]:
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


def _drawn(key: str, again: str) -> int:
    """A seed that is always the same one for this row: a sheet that is made again is the same sheet."""
    return int.from_bytes(hashlib.sha256(f"{again} {key}".encode()).digest()[:8]) % SEEDS


def _cell(value: Any, places: Mapping[str, str]) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(places.get(item, item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)
