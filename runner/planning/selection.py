"""Runs over a part of a batch: which queued jobs to send. The others stay queued, without consent."""

import hashlib
import heapq
import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jobs.catalog.registry import find
from jobs.errors import UsageProblem
from jobs.sheets.rows.column_names import ID, MODEL, fields_of, plain
from jobs.states import JobState
from jobs.store.bulk.selectable import SelectableJob
from jobs.store.store import Store
from jobs.suggestions import closest, did_you_mean
from jobs.views import Alike, BatchView
from jobs.workload import Workload


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs to run. Several values for one column are alternatives; every column named must match.

    `limit` takes the first jobs in their turn. `sample` takes pseudo-random jobs, the same ones each time.
    """

    only: tuple[str, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    sample: int | None = None

    def __bool__(self) -> bool:
        return bool(self.only or self.where) or self.limit is not None or self.sample is not None


WHOLE = Selection()
"""The whole batch."""


@dataclass(slots=True)
class SelectedJobs:
    """The queued jobs of a selection. `work` is all of them, `new` those that nobody consented to yet."""

    ids: "array[int]" = field(default_factory=lambda: array("q"))
    work: Workload = field(default_factory=Workload)
    new: Workload = field(default_factory=Workload)

    def add(self, job_id: int, model: str, images: int, *, agreed: bool) -> None:
        """Add one job."""
        self.ids.append(job_id)
        self.work.add(model, images)
        if not agreed:
            self.new.add(model, images)

    def leave_out(self, jobs: Sequence[Alike]) -> None:
        """Remove jobs that share another job's result and are not sent."""
        gone = {job.id for job in jobs}
        self.ids = array("q", (job_id for job_id in self.ids if job_id not in gone))
        for job in jobs:
            self.work.remove(job.model, job.pictures)
            if not job.agreed:
                self.new.remove(job.model, job.pictures)


async def select(
    store: Store, batch: BatchView, selection: Selection, notice: Callable[[str], None]
) -> SelectedJobs:
    """The queued jobs of a selection. Only their ids and totals are kept.

    Raises:
        UsageProblem: the sheet has no such key, or no queued job has such a column.
    """
    selected = SelectedJobs()
    if selection.limit is not None and selection == Selection(limit=selection.limit):
        for job in await store.selectable.first(batch.id, selection.limit):
            selected.add(job.id, job.model, job.pictures, agreed=job.agreed)
    else:
        await _look_for(store, batch, selection, selected)
    await _check_keys(store, batch, selection, notice)
    return selected


async def _look_for(store: Store, batch: BatchView, selection: Selection, selected: SelectedJobs) -> None:
    """Add the jobs that each have to be looked at: for their keys, for what stands in a column, or by lot."""
    most = selection.limit if selection.sample is None else selection.sample
    best, columns, found = list[tuple[float, int, SelectableJob]](), set[str](), set[str]()
    queued = False
    async for job in store.selectable.each(batch.id):
        queued = True
        own: dict[str, str] = json.loads(job.columns) if selection.where else {}
        values = _values(job, own, selection.where)
        columns.update(own)
        found.update(values)
        if not job.free or not _fits(job, selection, values):
            continue
        if most is None:
            selected.add(job.id, job.model, job.pictures, agreed=job.agreed)
            continue
        rank = job.turn if selection.sample is None else _drawn(job.key)
        item = (-rank, -job.id, job)
        if len(best) < most:
            heapq.heappush(best, item)
        elif best:
            heapq.heappushpop(best, item)
    for _rank, _id, job in best:
        selected.add(job.id, job.model, job.pictures, agreed=job.agreed)
    if queued:
        _must_be_columns(selection, found, columns)


def _drawn(key: str) -> float:
    """A pseudo-random number for a key, the same every time."""
    return float(int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]))


def _values(job: SelectableJob, own: Mapping[str, str], where: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The job's values in the columns asked for. An input is found by its common name or the model's own."""
    if not where:
        return {}
    spec = find(job.model)
    fields, inputs = fields_of(spec) if spec else {}, json.loads(job.inputs)
    values: dict[str, str] = {}
    for column, _value in where:
        if column in (ID, MODEL):
            values[column] = job.key if column == ID else job.model
        elif column in own:
            values[column] = own[column]
        elif (field := fields.get(plain(column), column)) in inputs:
            given = inputs[field]
            values[column] = "|".join(map(str, given)) if isinstance(given, list) else str(given)
    return values


def _fits(job: SelectableJob, selection: Selection, values: dict[str, str]) -> bool:
    if selection.only and job.key not in selection.only:
        return False
    wanted: dict[str, set[str]] = {}
    for column, value in selection.where:
        wanted.setdefault(column, set()).add(value)
    return all(values.get(column, "") in any_of for column, any_of in wanted.items())


def _must_be_columns(selection: Selection, found: set[str], columns: set[str]) -> None:
    for column, _value in selection.where:
        if column not in found:
            meant = closest(column, [*columns, ID, MODEL])
            raise UsageProblem(
                f"--where: no queued job has a column {column!r}. Nothing was sent.",
                hint=did_you_mean(meant, f"They have {', '.join(sorted(columns)) or 'none'}."),
            )


async def _check_keys(
    store: Store, batch: BatchView, selection: Selection, notice: Callable[[str], None]
) -> None:
    for key in selection.only:
        job = await store.jobs.by_key(batch.id, key)
        if job is None or not job.current:
            raise UsageProblem(
                f"--only: the sheet has no job {key!r}. Nothing was sent.",
                hint="`nightsheet jobs` lists them.",
            )
        if job.twin is not None and job.state is JobState.QUEUED:
            notice(f"Job {key!r} says what {job.twin.key!r} says, and gets its result: it is not sent.")
        elif job.held is not None:
            notice(f"Job {key!r} was paid for under batch {job.held.batch}: it is held, and not sent.")
        elif job.state is not JobState.QUEUED:
            notice(f"Job {key!r} is {job.state} already: it is not sent.")
