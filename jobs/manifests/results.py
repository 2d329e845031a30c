"""The result of each row of a sheet, as cells that stand beside it."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.catalog.registry import find
from jobs.errors import SheetProblems
from jobs.images.stored import Whereabouts
from jobs.manifests.record import relative
from jobs.problems import Problem
from jobs.review.decisions import decision_on
from jobs.sheets.planning import plan
from jobs.sheets.sheet import Sheet
from jobs.states import JobState
from jobs.views import ArtifactView, BatchView, JobView

if TYPE_CHECKING:
    from jobs.store.store import Store

_CHUNK = 500

CellValue = str | int | float | None


@dataclass(frozen=True, slots=True)
class RowResult:
    """The cells beside the row that begins on `line`; `images` are paths relative to the copy's folder."""

    line: int
    batch: str
    state: str
    images: tuple[str, ...] = ()
    seed: int | None = None
    cost_usd: float | None = None
    error: str | None = None
    verdicts: tuple[str, ...] = ()
    """Of the images, in their order; an empty one where nobody has decided."""

    @property
    def cells(self) -> tuple[CellValue, ...]:
        """In the order of `jobs.sheets.rows.result_columns.COLUMNS`."""
        verdict = "|".join(self.verdicts) if any(self.verdicts) else None
        return self.batch, self.state, "|".join(self.images), self.seed, self.cost_usd, self.error, verdict


async def results_of(
    store: "Store", batch: BatchView, sheet: Sheet, folder: Path, places: Whereabouts
) -> AsyncIterator[RowResult]:
    """A result for each row, in order. A row that the batch lacks is new, one that differs is changed.

    Raises:
        SheetProblems: the sheet has problems.
    """
    stream = plan(sheet, random.Random(0))  # noqa: S311 - these seeds are thrown away
    while chunk := list(islice(stream, _CHUNK)):
        problems = [item for item in chunk if isinstance(item, Problem)]
        if problems:
            raise SheetProblems(f"{sheet.name} has problems, so its rows are not known.", problems)
        jobs = [item for item in chunk if not isinstance(item, Problem)]
        views = await store.jobs.in_state(batch.id, tuple(JobState), [job.key for job in jobs])
        known = {view.key: view for view in views if view.current}
        for job in jobs:
            found = known.get(job.key)
            if found is None or found.fingerprint != job.fingerprint:
                yield RowResult(job.row, batch.name, "new" if found is None else "changed")
            else:
                yield _result(job.row, found, folder, places)


def _result(line: int, job: JobView, folder: Path, places: Whereabouts) -> RowResult:
    spec = find(job.model)
    name = spec.vocabulary.get("seed") if spec is not None else None
    seed = json.loads(job.inputs).get(name) if name else None
    there = [(image, path) for image in job.images if (path := places.of(image))]
    return RowResult(
        line,
        job.batch,
        job.state.value,
        tuple(relative(str(path), folder) for _, path in there),
        seed if isinstance(seed, int) else None,
        None if job.cost_usd is None else float(job.cost_usd),
        None if job.failure is None else f"{job.failure.kind}: {job.failure.message}",
        tuple(_verdict(job, image) for image, _ in there),
    )


def _verdict(job: JobView, image: ArtifactView) -> str:
    decision = decision_on(job.decisions, image.number, image.sha256)
    return "" if decision is None or decision.verdict is None else decision.verdict.value
