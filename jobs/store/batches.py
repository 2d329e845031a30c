"""The batches: their sheets, pauses, prices, tuning and consent, and the runs over them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from sqlalchemy import Connection, Row, and_, case, insert, literal, or_, select, update

from jobs.concurrency import is_lower
from jobs.errors import UsageProblem
from jobs.pauses import FREE_TO_END, UNTIL_RESUMED, PauseReason
from jobs.problems import Problem
from jobs.sheets.source import STANDARD_INPUT
from jobs.store.part import StorePart, reads, writes, writes_regardless
from jobs.store.rows import root_of, view_of
from jobs.store.schema import ARTIFACT, BATCH, JOB, RUN, to_send
from jobs.store.sql.retirement import Retirement, retirement_of
from jobs.store.sqlite.keeping import counting_consent_at_once
from jobs.views import BatchView, LoadReport, Pause, RunView

if TYPE_CHECKING:
    from jobs.sheets.planned import PlannedJob

_CHUNK = 500
_OF_A_WORKBOOK = re.compile(r"\.xls[xm]#([^/]*)$", re.IGNORECASE)
_LASTS = BATCH.c.paused_reason.in_(sorted(UNTIL_RESUMED))
_IS_FREE = BATCH.c.paused_reason.in_(sorted(FREE_TO_END))
_NOT_PAUSED: dict[str, Any] = {"paused_reason": None, "paused_detail": None, "paused_since": None}


class Batches(StorePart):
    """The batches of this database, and the runs over them."""

    async def load(
        self,
        *,
        name: str,
        sheet: Path | str,
        origin: str,
        planned: Iterable["PlannedJob | Problem"],
        is_copy: bool = False,
        dedupe: bool | None = None,
    ) -> tuple[BatchView, LoadReport]:
        """Load a sheet in one transaction into the batch `name`, which is created if it is new.

        A copy of the batch's own sheet with results (`is_copy`) may have another path. `dedupe`, if given, is
        stored in the same transaction: otherwise a run killed here would leave identical jobs to be paid.

        Raises:
            UsageProblem: the batch belongs to another sheet, which still exists, or to another API origin.
            SheetProblems: the sheet has problems; nothing is loaded.
        """
        from jobs.store.intake import loading  # who looks at a batch does without it

        now = self._now()
        known = await self._database.read(lambda c: _find(c, name))
        moved = known is not None and await _has_moved(known.sheet, str(sheet))

        def run(connection: Connection) -> tuple[BatchView, LoadReport]:
            batch = _find(connection, name)
            if batch is None:
                batch = _create(connection, name=name, sheet=str(sheet), origin=origin, now=now)
            if batch.sheet != str(sheet) and moved:
                _set(connection, batch.id, sheet=str(sheet))
            elif not is_copy:
                _check_sheet(batch, str(sheet))
            batch.check_origin(origin)
            if dedupe is not None:
                _set(connection, batch.id, dedupe=dedupe)
            report = loading.load(connection, batch.id, planned, now)
            return _get(connection, batch.id), report

        return await self._database.write_once(run)  # a sheet is a stream: it can be read only once

    async def named(self, name: str | None) -> BatchView:
        """The batch of that name; for None, the batch that ran last.

        Raises:
            UsageProblem: there is no such batch.
        """

        def find(connection: Connection) -> tuple[BatchView | None, list[str]]:
            if name is None:
                return _last_run(connection), []
            return _find(connection, name), _names(connection)

        found, names = await self._database.read(find)
        if found is not None:
            return found
        if name is None:
            raise UsageProblem(
                "There is no batch in this database yet.", hint="Load one: `nightsheet run SHEET`"
            )
        known = ", ".join(names) or "none"
        raise UsageProblem(f"There is no batch {name!r}.", hint=f"This database has: {known}.")

    @reads
    def retirement(self, connection: Connection) -> Retirement | None:
        """Where all batches of this table went; None while they are here."""
        return retirement_of(connection)

    @reads
    def get(self, connection: Connection, batch_id: int) -> BatchView:
        """The batch of that id, which must exist, as it is now."""
        return _get(connection, batch_id)

    @reads
    def find(self, connection: Connection, name: str) -> BatchView | None:
        """The batch of that name, if there is one."""
        return _find(connection, name)

    async def loadable(self, name: str, sheet: str, origin: str, *, is_copy: bool) -> BatchView | None:
        """The batch that `load` would take this sheet into; None where it would make one.

        Raises:
            UsageProblem: the batch belongs to another sheet, which still exists, or to another API origin.
        """
        batch = await self._database.read(lambda c: _find(c, name))
        if batch is not None:
            if not is_copy and not await _has_moved(batch.sheet, sheet):
                _check_sheet(batch, sheet)
            batch.check_origin(origin)
        return batch

    @writes_regardless
    def pause(self, connection: Connection, batch_id: int, reason: PauseReason, detail: str) -> None:
        """Store a pause. A guard's or a person's keeps its time and reason; any other is replaced."""
        now = self._now()
        same = and_(BATCH.c.paused_reason == reason, BATCH.c.paused_detail == detail)
        connection.execute(
            update(BATCH)
            .where(BATCH.c.id == batch_id, or_(BATCH.c.paused_reason.is_(None), ~or_(_LASTS, same)))
            .values(paused_reason=reason, paused_detail=detail, paused_since=now)
        )

    @writes
    def unpause(self, connection: Connection, batch_id: int) -> None:
        """Clear a pause, unless it is a guard's or a person's."""
        connection.execute(update(BATCH).where(BATCH.c.id == batch_id, ~_LASTS).values(**_NOT_PAUSED))

    @writes
    def resume(self, connection: Connection, batch_id: int) -> None:
        """Clear any pause. After a guard's or a person's, the guards count from now."""
        since = case((_LASTS, literal(self._now(), BATCH.c.guards_since.type)), else_=BATCH.c.guards_since)
        connection.execute(
            update(BATCH).where(BATCH.c.id == batch_id).values(guards_since=since, **_NOT_PAUSED)
        )

    @writes
    def hold(self, connection: Connection, batch_id: int, detail: str) -> None:
        """Store a person's pause, unless one stands for a limit: it would be hidden behind this one."""
        free = and_(_IS_FREE, BATCH.c.paused_reason != PauseReason.PERSON)
        connection.execute(
            update(BATCH)
            .where(BATCH.c.id == batch_id, or_(BATCH.c.paused_reason.is_(None), free))
            .values(paused_reason=PauseReason.PERSON, paused_detail=detail, paused_since=self._now())
        )

    @writes
    def end_free_pause(self, connection: Connection, batch_id: int) -> None:
        """Clear a pause that stands for no limit. The guards count on: they are a limit, too."""
        connection.execute(update(BATCH).where(BATCH.c.id == batch_id, _IS_FREE).values(**_NOT_PAUSED))

    @writes
    def note_prices(self, connection: Connection, batch_id: int, prices: Mapping[str, Decimal]) -> None:
        """Store prices: USD an image, by model."""
        connection.execute(
            update(BATCH)
            .where(BATCH.c.id == batch_id)
            .values(prices={model: format(price, "f") for model, price in prices.items()})
        )

    @writes
    def place(
        self,
        connection: Connection,
        batch_id: int,
        output_dir: str,
        upload: str | None,
        images: Mapping[int, str],
    ) -> None:
        """Keep the output folder and the way of uploads, and where images are, told from that folder."""
        _set(connection, batch_id, output_dir=output_dir, upload=upload)
        for artifact_id, path in images.items():
            connection.execute(update(ARTIFACT).where(ARTIFACT.c.id == artifact_id).values(path=path))

    @writes
    def tune(self, connection: Connection, batch_id: int, values: Mapping[str, Any]) -> None:
        """Set any of `concurrency`, `rate` and `budget`, for this run and the next ones."""
        connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(**values))

    @writes
    def lower(
        self, connection: Connection, batch_id: int, values: Mapping[str, Any], usual: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The same, if each value is lower than what holds; returns those that are not, and sets none then.

        `usual` is what holds where the batch has nothing of its own.
        """
        batch = _get(connection, batch_id)
        holds = {name: usual[name] if (own := getattr(batch, name)) is None else own for name in values}
        higher = tuple(name for name, value in values.items() if not is_lower(value, holds[name]))
        if values and not higher:
            _set(connection, batch_id, **values)
        return higher

    @writes
    def agree(self, connection: Connection, batch_id: int, only: Sequence[int] | None = None) -> int:
        """Record consent to pay for all queued jobs; return how many jobs gain it.

        With `only`, for these jobs alone: the other queued jobs lose their consent, and need it again.
        """
        queued = to_send(batch_id)
        if only is None:
            with counting_consent_at_once(connection, batch_id, agreed=True):
                done = connection.execute(update(JOB).where(*queued, ~JOB.c.agreed).values(agreed=True))
            return int(done.rowcount)
        with counting_consent_at_once(connection, batch_id, agreed=False):
            connection.execute(update(JOB).where(*queued, JOB.c.agreed).values(agreed=False))
        agreed = 0
        for first in range(0, len(only), _CHUNK):
            ids = JOB.c.id.in_(only[first : first + _CHUNK])
            done = connection.execute(update(JOB).where(*queued, ids).values(agreed=True))
            agreed += int(done.rowcount)
        return agreed

    @writes
    def begin_run(self, connection: Connection, batch_id: int, *, pid: int, host: str) -> int:
        """Record a process that starts to run the batch; return the run's id."""
        now = self._now()
        connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(last_run_at=now))
        made = connection.execute(insert(RUN).values(batch_id=batch_id, pid=pid, host=host, started_at=now))
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])

    @writes
    def end_run(self, connection: Connection, run_id: int, exit_code: int) -> None:
        """Record how a run ended. A run that was killed stays open."""
        now = self._now()
        connection.execute(update(RUN).where(RUN.c.id == run_id).values(ended_at=now, exit_code=exit_code))

    @reads
    def latest_run(self, connection: Connection) -> RunView | None:
        """The run that started last, over any batch: it is the one that may hold the database's lock."""
        latest = select(BATCH.c.name, RUN).join(BATCH, BATCH.c.id == RUN.c.batch_id).order_by(RUN.c.id.desc())
        row = (connection.execute(latest.limit(1))).one_or_none()
        return None if row is None else view_of(RunView, row, batch=row.name)


def _view(connection: Connection, row: Row[Any]) -> BatchView:
    paused = None
    if row.paused_reason is not None:
        paused = Pause(PauseReason(row.paused_reason), row.paused_detail or "", row.paused_since)
    prices = {model: Decimal(price) for model, price in row.prices.items()}
    root = root_of(connection, row.output_dir)
    return view_of(
        BatchView, row, paused=paused, prices=prices, output_root=None if root is None else str(root)
    )


def _check_sheet(batch: BatchView, sheet: str) -> None:
    if batch.sheet != sheet:
        raise UsageProblem(
            f"The batch {batch.name!r} was loaded from {batch.sheet}, not from {sheet}.",
            hint="Give this sheet a batch of its own with --batch NAME.",
        )


async def _has_moved(known: str, place: str) -> bool:
    """Whether the sheet has moved or was renamed: its old path no longer exists, its worksheet is the same.

    Standard input is no file that could have moved. A `#` separates the name of a worksheet from the path.
    """
    if STANDARD_INPUT in (known, place) or _worksheet(known) != _worksheet(place):
        return False
    files = {known, known.rpartition("#")[0]} - {""}
    return not any([await anyio.Path(file).exists() for file in files])


def _worksheet(place: str) -> str | None:
    """The worksheet that a batch remembers beside a workbook's path; None for the first one."""
    found = _OF_A_WORKBOOK.search(place)
    return None if found is None else found.group(1)


def _find(connection: Connection, name: str) -> BatchView | None:
    """The batch of that name."""
    row = (connection.execute(select(BATCH).where(BATCH.c.name == name))).one_or_none()
    return None if row is None else _view(connection, row)


def _get(connection: Connection, batch_id: int) -> BatchView:
    """The batch of that id, which must exist."""
    return _view(connection, (connection.execute(select(BATCH).where(BATCH.c.id == batch_id))).one())


def _last_run(connection: Connection) -> BatchView | None:
    """The batch that ran last, or else was loaded last."""
    latest = select(BATCH).order_by(BATCH.c.last_run_at.desc().nulls_last(), BATCH.c.id.desc()).limit(1)
    row = (connection.execute(latest)).one_or_none()
    return None if row is None else _view(connection, row)


def _names(connection: Connection) -> list[str]:
    """The names of all batches, sorted."""
    return [name for (name,) in connection.execute(select(BATCH.c.name).order_by(BATCH.c.name))]


def _create(connection: Connection, *, name: str, sheet: str, origin: str, now: datetime) -> BatchView:
    """A new, empty batch."""
    connection.execute(
        insert(BATCH).values(
            name=name, sheet=sheet, origin=origin, created_at=now, generation=0, prices={}, last_run_at=now
        )
    )
    found = _find(connection, name)
    assert found is not None
    return found


def _set(connection: Connection, batch_id: int, **values: Any) -> None:
    connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(**values))
