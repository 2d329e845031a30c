"""Loads a sheet: adds new rows, keeps unchanged ones, and handles changed and removed ones.

A row finds its job by its key; what says the same under another key is adopted then (`adoption`).
A changed row whose job was never sent replaces the job's contents. If it was sent, that job finishes outside
the manifest, and a new revision of the key is queued. The unsent job of a removed row is cancelled: nobody
pays for a row that is not in the sheet. Everything happens in the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from jobs.disk.paths import folder_name, suffixed
from jobs.errors import SheetProblems
from jobs.payload import payload
from jobs.problems import Problem
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.bulk.many_rows import FOUND, InsertEach, UpdateEach, look_over
from jobs.store.intake import references
from jobs.store.intake.adoption import RETURNED, adopt, sent_in
from jobs.store.moves.values import LEFT_UNSENT, ROW_GONE
from jobs.store.schema import BATCH, JOB, TWIN
from jobs.store.sql.expressions import Caseless
from jobs.store.sqlite.keeping import counting_at_once
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import LoadReport

_CHUNK = 500
_LOOKED_OVER = (1, 20)
"""After so many chunks a table that was empty is another one."""


@dataclass(slots=True)
class _Tally:
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    unsent: int = 0
    adopted: int = 0
    may_adopt: dict[int, str] = field(default_factory=dict)
    """How rows were counted, by position, that say what a job that was sent says, and have an unsent one."""


def load(
    connection: Connection, batch_id: int, planned: Iterable[PlannedJob | Problem], now: datetime
) -> LoadReport:
    """Load the planned jobs of a sheet.

    Raises:
        SheetProblems: with every problem of the sheet; the caller must roll its transaction back.
    """
    generation = _next_generation(connection, batch_id)
    tally = _Tally()
    with counting_at_once(connection, batch_id) if generation == 1 else nullcontext():
        _load_all(connection, batch_id, generation, planned, now, tally)
    if tally.may_adopt:
        for position in adopt(connection, batch_id, generation):
            kind = tally.may_adopt[position]
            setattr(tally, kind, getattr(tally, kind) - 1)
            tally.adopted += 1
    tally.gone, tally.unsent = _retire_gone(connection, batch_id, generation, now)
    total = tally.new + tally.changed + tally.unchanged + tally.adopted
    return LoadReport(
        total, tally.new, tally.changed, tally.unchanged, tally.gone, tally.unsent, tally.adopted
    )


def _load_all(
    connection: Connection,
    batch_id: int,
    generation: int,
    planned: Iterable[PlannedJob | Problem],
    now: datetime,
    tally: _Tally,
) -> None:
    problems: list[Problem] = []
    noted: references.NotedPlaces = set()
    stream = iter(planned)
    chunks = 0 if generation == 1 else _LOOKED_OVER[0]
    while chunk := list(islice(stream, _CHUNK)):
        if chunks in _LOOKED_OVER:
            look_over(connection, JOB)
        chunks += 1
        problems += [item for item in chunk if isinstance(item, Problem)]
        if not problems:
            jobs = [item for item in chunk if isinstance(item, PlannedJob)]
            _load_chunk(connection, batch_id, generation, jobs, now, tally)
            references.note(connection, (image for job in jobs for image in job.files), noted)
    if problems:
        raise SheetProblems(_how_many(problems), problems)


def _how_many(problems: Sequence[Problem]) -> str:
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"The sheet has {many}: nothing was loaded, nothing is paid."


def _next_generation(connection: Connection, batch_id: int) -> int:
    connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(generation=BATCH.c.generation + 1))
    found = connection.execute(select(BATCH.c.generation).where(BATCH.c.id == batch_id))
    return int(found.scalar_one())


def _load_chunk(
    connection: Connection,
    batch_id: int,
    generation: int,
    jobs: Sequence[PlannedJob],
    now: datetime,
    tally: _Tally,
) -> None:
    known: Mapping[str, list[Revision]] = {}
    if generation > 1:
        known = revisions_of(connection, batch_id, [job.key for job in jobs])
    fresh: list[tuple[PlannedJob, int]] = []
    kept: list[dict[str, Any]] = []
    replaced: list[dict[str, Any]] = []
    returned: list[int] = []
    left: list[int] = []
    unsent: list[tuple[PlannedJob, str]] = []
    for job in jobs:
        revisions = known.get(job.key, [])
        same = next((old for old in reversed(revisions) if old.fingerprint == job.fingerprint), None)
        if not revisions:
            tally.new += 1
            unsent.append((job, "new"))
            fresh.append((job, 1))
            continue
        newest = revisions[-1]
        stays: Revision | None = same
        if same is not None:
            # Perhaps an older revision: the edit was undone, and what was paid before it counts again.
            tally.unchanged += 1
            if same.is_unsent:
                unsent.append((job, "unchanged"))
            kept.append({FOUND: same.id, "generation": generation, **_place(job)})
            if same.error_code == ROW_GONE:
                returned.append(same.id)
        else:
            tally.changed += 1
            unsent.append((job, "changed"))
            if newest.may_be_replaced:
                stays = newest
                place = {"generation": generation, "available_at": now, **_place(job)}
                replaced.append({FOUND: newest.id, **_contents(job), **place})
            else:
                fresh.append((job, newest.revision + 1))
        left += [old.id for old in revisions if old.current and old is not stays]
    if left:
        # What is queued is cancelled; what is at the API finishes there.
        connection.execute(update(JOB).where(JOB.c.id.in_(left)).values(current=False))
        _cancel_queued(connection, JOB.c.id.in_(left), now)
    if returned:
        cancelled = update(JOB).where(JOB.c.id.in_(returned), JOB.c.state == JobState.CANCELLED)
        connection.execute(cancelled.values(**RETURNED))
    _REPLACE.run(connection, replaced)
    _PLACE.run(connection, kept)
    if fresh:
        folders = _folders(connection, batch_id, fresh)
        rows = (_row(job, revision, folder) for (job, revision), folder in zip(fresh, folders, strict=True))
        of_load = {"batch_id": batch_id, "generation": generation, "available_at": now, "created_at": now}
        _INSERT.run(connection, rows, **of_load)
    if generation > 1:
        sent = sent_in(connection, batch_id, [job.fingerprint for job, _kind in unsent])
        tally.may_adopt.update((job.position, kind) for job, kind in unsent if job.fingerprint in sent)


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a key in the batch."""

    id: int
    revision: int
    fingerprint: str
    error_code: str | None
    current: bool
    state: str
    attempts: int
    agreed: bool
    twin: str | None
    """The state of the job that it is linked to."""

    @property
    def is_unsent(self) -> bool:
        """Whether it is queued, or queued again with its row, and was never sent."""
        returns = self.state == JobState.CANCELLED and self.error_code == ROW_GONE
        return self.attempts == 0 and self.twin is None and (returns or self.state == JobState.QUEUED)

    @property
    def may_be_replaced(self) -> bool:
        """Whether it may get other contents: it was never sent, and shares no other job's result."""
        return self.attempts == 0 and self.state != JobState.SUCCEEDED


def revisions_of(connection: Connection, batch_id: int, keys: Sequence[str]) -> dict[str, list[Revision]]:
    """The revisions of each key in the batch, oldest first."""
    found = connection.execute(
        select(
            JOB.c.key,
            JOB.c.id,
            JOB.c.revision,
            JOB.c.fingerprint,
            JOB.c.error_code,
            JOB.c.current,
            JOB.c.state,
            JOB.c.attempts,
            JOB.c.agreed,
            select(TWIN.c.state).where(TWIN.c.id == JOB.c.same_as).scalar_subquery(),
        )
        .where(JOB.c.batch_id == batch_id, JOB.c.key.in_(keys))
        .order_by(JOB.c.revision)
    )
    known: dict[str, list[Revision]] = defaultdict(list)
    for row in found:
        known[row.key].append(Revision(*list(row)[1:]))
    return known


_PLACED = ("generation", "position", "row", "turn", "columns")
_PLACE = UpdateEach(
    JOB.c.id,
    _PLACED,
    {
        # A row that returns: `--prune` may have requested a cancel because it was removed.
        "cancel_requested": case((JOB.c.current, JOB.c.cancel_requested), else_=False),
        "current": True,
    },
)


def _place(job: PlannedJob) -> dict[str, Any]:
    return {
        "position": job.position,
        "row": job.row,
        "turn": 0.0 - job.priority,
        "columns": dict(job.columns),
    }


def _contents(job: PlannedJob) -> dict[str, Any]:
    return {
        "model": job.model,
        "fingerprint": job.fingerprint,
        "inputs": payload(job.inputs),
        "pictures": job.pictures,
        "warnings": list(job.warnings),
    }


_REPLACE = UpdateEach(
    JOB.c.id,
    (*("model", "fingerprint", "inputs", "pictures", "warnings", "available_at"), *_PLACED),
    {
        **RETURNED,
        "current": True,
        "agreed": False,
        "held": None,
        "same_as": None,
        "cancel_requested": False,
    },
)
"""Other contents for a job that was never sent: it is queued, cancelled or failed."""


def _retire_gone(connection: Connection, batch_id: int, generation: int, now: datetime) -> tuple[int, int]:
    """Remove the jobs that the new sheet does not have: (how many, how many of them were not sent)."""
    gone = (JOB.c.batch_id == batch_id) & (JOB.c.generation < generation) & JOB.c.current
    unsent = _cancel_queued(connection, gone, now)
    done = connection.execute(update(JOB).where(gone).values(current=False))
    return int(done.rowcount), unsent


def _cancel_queued(connection: Connection, which: Any, now: datetime) -> int:
    done = connection.execute(
        update(JOB)
        .where(which, JOB.c.state == JobState.QUEUED)
        .values(state=JobState.CANCELLED, finished_at=now, **LEFT_UNSENT)
    )
    return int(done.rowcount)


def _folders(connection: Connection, batch_id: int, fresh: Sequence[tuple[PlannedJob, int]]) -> list[str]:
    """A folder for each job, unique in the batch even if case is ignored."""
    wanted = [folder_name(job.key, revision) for job, revision in fresh]
    taken = _taken(connection, batch_id, wanted)
    folders = []
    for (job, _revision), name in zip(fresh, wanted, strict=True):
        free = name
        while free.lower() in taken:
            free = suffixed(free, job.key)
            taken |= _taken(connection, batch_id, [free])
        taken.add(free.lower())
        folders.append(free)
    return folders


_TAKEN = Prepared(
    select(func.lower(JOB.c.folder).label("folder")).where(
        JOB.c.batch_id == given("batch_id"),
        Caseless(JOB.c.folder).in_([given(f"name_{number}") for number in range(_CHUNK)]),
    )
)


def _taken(connection: Connection, batch_id: int, names: Sequence[str]) -> set[str]:
    padded = [*map(str.lower, names), *[""] * (_CHUNK - len(names))]  # no folder has no name
    wanted = {f"name_{number}": name for number, name in enumerate(padded)}
    return {str(name) for (name,) in _TAKEN.rows(connection, batch_id=batch_id, **wanted)}


def _row(job: PlannedJob, revision: int, folder: str) -> dict[str, Any]:
    return {
        **_contents(job),
        **_place(job),
        "key": job.key,
        "revision": revision,
        "folder": folder,
    }


_GIVEN = (
    *("batch_id", "generation", "available_at", "created_at", "key", "revision", "folder", "position"),
    *("row", "turn", "model", "fingerprint", "inputs", "pictures", "columns", "warnings"),
)
_ALWAYS = {
    "current": True,
    "agreed": False,
    "state": JobState.QUEUED,
    "attempts": 0,
    "failed_runs": 0,
    "authorised": 0,
    "cancel_requested": False,
}
_INSERT = InsertEach(JOB, _GIVEN, _ALWAYS)
"""A row that is new, or changed after it was sent."""
