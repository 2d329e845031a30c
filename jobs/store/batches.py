"""What belongs to a batch as a whole: its name, pause, prices, controls, and the runs over it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.pauses import PauseReason
from jobs.store.counting import to_send
from jobs.store.schema import BATCH, JOB, RUN
from jobs.views import BatchView, Pause, RunView

_CHUNK = 500


def _view(row: Row[Any]) -> BatchView:
    paused = None
    if row.paused_reason is not None:
        paused = Pause(PauseReason(row.paused_reason), row.paused_detail or "", row.paused_since)
    return BatchView(
        id=row.id,
        name=row.name,
        sheet=row.sheet,
        origin=row.origin,
        created_at=row.created_at,
        paused=paused,
        prices={model: Decimal(price) for model, price in row.prices.items()},
        budget=row.budget,
        concurrency=row.concurrency,
        rate=row.rate,
        dedupe=row.dedupe,
    )


async def has_moved(known: str, place: str) -> bool:
    """Whether a file of that name is here now, and no longer where it was. `#` names a worksheet in it."""
    if Path(known).name != Path(place).name:
        return False
    files = {known, known.rpartition("#")[0]} - {""}
    return not any([await anyio.Path(file).exists() for file in files])


async def find(connection: AsyncConnection, name: str) -> BatchView | None:
    """The batch of that name."""
    row = (await connection.execute(select(BATCH).where(BATCH.c.name == name))).one_or_none()
    return None if row is None else _view(row)


async def get(connection: AsyncConnection, batch_id: int) -> BatchView:
    """The batch of that id, which must exist."""
    return _view((await connection.execute(select(BATCH).where(BATCH.c.id == batch_id))).one())


async def last_run(connection: AsyncConnection) -> BatchView | None:
    """The batch that was run (or else loaded) last."""
    latest = select(BATCH).order_by(BATCH.c.last_run_at.desc().nulls_last(), BATCH.c.id.desc()).limit(1)
    row = (await connection.execute(latest)).one_or_none()
    return None if row is None else _view(row)


async def names(connection: AsyncConnection) -> list[str]:
    """Every batch, by name."""
    return [name for (name,) in await connection.execute(select(BATCH.c.name).order_by(BATCH.c.name))]


async def create(
    connection: AsyncConnection, *, name: str, sheet: str, origin: str, now: datetime
) -> BatchView:
    """A new, empty batch."""
    await connection.execute(
        insert(BATCH).values(
            name=name, sheet=sheet, origin=origin, created_at=now, generation=0, prices={}, last_run_at=now
        )
    )
    found = await find(connection, name)
    assert found is not None
    return found


async def move_sheet(connection: AsyncConnection, batch_id: int, sheet: str) -> None:
    """The sheet lies elsewhere now."""
    await connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(sheet=sheet))


async def set_dedupe(connection: AsyncConnection, batch_id: int, dedupe: bool) -> None:
    """Whether one of several jobs that say the same is sent for all, in this run and the next ones."""
    await connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(dedupe=dedupe))


async def pause(
    connection: AsyncConnection, batch_id: int, reason: PauseReason, detail: str, now: datetime
) -> None:
    """Note that the batch stands still; a pause that already stands keeps its time and reason."""
    await connection.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id, BATCH.c.paused_reason.is_(None))
        .values(paused_reason=reason, paused_detail=detail, paused_since=now)
    )


async def unpause(connection: AsyncConnection, batch_id: int) -> None:
    """Clear a pause."""
    await connection.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id)
        .values(paused_reason=None, paused_detail=None, paused_since=None)
    )


async def note_prices(connection: AsyncConnection, batch_id: int, prices: Mapping[str, Decimal]) -> None:
    """Remember what a picture costs, by model."""
    await connection.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id)
        .values(prices={model: format(price, "f") for model, price in prices.items()})
    )


async def tune(connection: AsyncConnection, batch_id: int, values: Mapping[str, Any]) -> None:
    """Set any of `concurrency`, `rate` and `budget`, for this run and the next ones."""
    await connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(**values))


async def begin_run(connection: AsyncConnection, batch_id: int, *, pid: int, host: str, now: datetime) -> int:
    """Note a process that begins to run the batch; returns the run's id."""
    await connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(last_run_at=now))
    made = await connection.execute(insert(RUN).values(batch_id=batch_id, pid=pid, host=host, started_at=now))
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


async def end_run(connection: AsyncConnection, run_id: int, exit_code: int, now: datetime) -> None:
    """Note how a run ended. One that was killed stays open for ever."""
    await connection.execute(update(RUN).where(RUN.c.id == run_id).values(ended_at=now, exit_code=exit_code))


async def latest_run(connection: AsyncConnection) -> RunView | None:
    """The run that began last, over any batch: whoever holds the database's lock is it."""
    latest = select(BATCH.c.name, RUN).join(BATCH, BATCH.c.id == RUN.c.batch_id).order_by(RUN.c.id.desc())
    row = (await connection.execute(latest.limit(1))).one_or_none()
    return None if row is None else RunView(row.name, row.pid, row.host, row.started_at)


async def agree(connection: AsyncConnection, batch_id: int, only: Sequence[int] | None = None) -> int:
    """A person agreed to pay for all that is queued; returns how many jobs that adds.

    With `only`, for these jobs alone: what was agreed to before and is left out has to be asked for again.
    """
    queued = to_send(batch_id)
    if only is None:
        done = await connection.execute(update(JOB).where(*queued, ~JOB.c.agreed).values(agreed=True))
        return int(done.rowcount)
    await connection.execute(update(JOB).where(*queued, JOB.c.agreed).values(agreed=False))
    agreed = 0
    for first in range(0, len(only), _CHUNK):
        ids = JOB.c.id.in_(only[first : first + _CHUNK])
        done = await connection.execute(update(JOB).where(*queued, ids).values(agreed=True))
        agreed += int(done.rowcount)
    return agreed
