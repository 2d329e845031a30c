"""`db copy`: a whole job table goes to another place, when nothing of it is in flight.

`jobs/store/copies/table_copy.py` has the commits, and what a crash between them leaves. What is here holds
both places, settles what a killed run left, and has the journals of this machine go along.
"""

import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.disk.atomic_file import atomic_file, sync_folder
from jobs.errors import CannotWrite, LockHeld, TableRetired, UsageProblem
from jobs.store.copies import table_copy
from jobs.store.copies.ends import uid_at
from jobs.store.open import init_server, open_store
from jobs.table_place import TablePlace, checked, place_of
from runner.environment import Environment
from runner.humanize import duration
from runner.planning.late_submits import late_submits
from runner.providers.origin import EMULATOR_ORIGIN
from runner.recovery.hold import holding
from runner.recovery.journal_places import Places, beside, folder_of, journals_in
from runner.recovery.recover import settle

if TYPE_CHECKING:
    from jobs.store.sql.retirement import Retirement
    from jobs.store.store import Store

COMMAND = "db copy"
_IF_LOST = (
    "If that is gone for good, `nightsheet db copy {source} {target} --lost` takes what was left here: what "
    "was sent from there since then is known from this machine's journals alone."
)


@dataclass(frozen=True, slots=True)
class TableCopied:
    """What a copy came to."""

    rows: dict[str, int] = field(default_factory=dict)
    """How many of each table; none where they were there already."""
    journals: int = 0


async def copy_table(
    source: TablePlace,
    target: TablePlace,
    environment: Environment,
    notice: Callable[[str], None],
    *,
    submit_timeout: float,
    lost: bool = False,
) -> TableCopied:
    """Take a job table's rows to an empty place, and retire it. After a crash the same copy completes it.

    `lost`: where it went to before is gone for good, and what was left here is taken once more.
    `submit_timeout` is how many seconds a submit may take.

    Raises:
        UsageProblem: jobs are in flight or may be, the target is not empty, or both are the same table.
        TableRetired: it went to another place before.
        LockHeld: another process works on one of them.
        CannotWrite: one of them cannot be reached, or refuses.
    """
    clock, here = environment.clock, socket.gethostname()
    probe = environment.probe
    async with open_store(source, clock.now) as store, _held(store, environment, notice):
        uid = await store.witness.database_uid()
        retirement = await store.batches.retirement()
        if retirement is None:
            await _settle(store, source, target, environment, notice)
            await store.database.read(partial(table_copy.check_in_flight, source=source))
            await _check_late(store, source, submit_timeout)
        elif not lost and (retirement.place != str(target) or retirement.is_done or not target.is_server):
            await to_thread.run_sync(_check_not_there, source, target, retirement, environment, uid)
        await to_thread.run_sync(_make_room, target)
        async with open_store(target, clock.now, create=True) as other:
            is_there = await other.witness.database_uid() == uid
            if is_there and retirement is None:
                raise UsageProblem(
                    f"{source} and {target} are one job table, or copies of one: nothing was changed.",
                    hint="Use one of them alone.",
                )
            async with _held(other, environment, notice):
                if not is_there:
                    await other.database.read(partial(table_copy.check_empty, target=target))
                    probe("before retired")
                    await to_thread.run_sync(table_copy.retire, source, target, here)
                    probe("after retired")
                journals = await to_thread.run_sync(_take_journals, source, target)
                probe("after journals")
                rows = await to_thread.run_sync(table_copy.copy_rows, source, target, probe)
                probe("after copy")
                await to_thread.run_sync(table_copy.finish, source, target, here)
                return TableCopied(rows or {}, journals)


@asynccontextmanager
async def _held(
    store: "Store", environment: Environment, notice: Callable[[str], None]
) -> AsyncIterator[None]:
    """Hold a job table, in use or retired, so that nobody works on it meanwhile."""
    clock = environment.clock
    hold = holding(store, command=COMMAND, batch="", clock=clock, notice=notice, retired_too=True)
    async with hold as held:
        if held.other is not None:
            raise LockHeld(
                f"{held.other} holds {store.database.shown}.",
                hint="Nothing was changed. `nightsheet pause` stops a run; copy when it has ended.",
            )
        yield


async def _settle(
    store: "Store",
    source: TablePlace,
    target: TablePlace,
    environment: Environment,
    notice: Callable[[str], None],
) -> None:
    """Settle what killed runs left, free: their journals know what is in flight."""
    uid, now = await store.witness.database_uid(), environment.clock.now()
    for batch_id in await store.overview.batch_ids():
        batch = await store.batches.get(batch_id)
        is_rehearsed = batch.origin == EMULATOR_ORIGIN
        if is_rehearsed and target.is_server:
            raise UsageProblem(
                f"{source} is a rehearsal's: its jobs are at an API that nobody else can ask about them.",
                hint="Rehearsals stay in files.",
            )
        copies = None if is_rehearsed else folder_of(environment.state_folder, batch.origin) / uid
        healing, _unconfirmed = await settle(store, batch, Places(beside(source.path), copies), now)
        for sentence in healing.sentences():
            notice(sentence)


async def _check_late(store: "Store", source: TablePlace, submit_timeout: float) -> None:
    """Check that no runner that may only be asleep can still send: at the new place nobody would know of it.

    Raises:
        UsageProblem: one can.
    """
    late = await late_submits(store, None, submit_timeout)
    if late:
        raise UsageProblem(
            f"A runner of {source} was lost in a submit and may only be asleep: what it sends could still "
            "arrive, and nobody would know of it at the new place.",
            hint=f"Nothing was changed. Try again in {duration(max(late.values()))}.",
        )


def _check_not_there(
    source: TablePlace,
    target: TablePlace,
    retirement: "Retirement",
    environment: Environment,
    uid: str,
) -> None:
    """Check that a table that was on its way, or has arrived, is nowhere in use.

    Raises:
        TableRetired: it is, or was.
        CannotWrite: nobody can tell.
    """
    refusal = retirement.refusal(str(source))
    try:
        went_to = place_of(str(checked(retirement.place)), environment.env, environment.home)
    except ValueError:  # whoever wrote that
        raise refusal from None
    if not went_to.is_server:
        _check_seen(source, target, retirement)
    try:
        is_there = uid_at(went_to) == uid
    except CannotWrite as error:
        raise CannotWrite(
            f"{source} went to {retirement.place}, and whether it arrived cannot be told: {error.message}",
            hint=f"Nothing was changed. {_IF_LOST.format(source=source, target=target)}",
        ) from error
    if is_there and str(target) == retirement.place:
        return
    if is_there or retirement.is_done:
        raise TableRetired(
            refusal.message, hint=f"Copy from there. {_IF_LOST.format(source=source, target=target)}"
        )


def _check_seen(source: TablePlace, target: TablePlace, retirement: "Retirement") -> None:
    """Check that this machine sees the file that a table went to.

    That file is made before the table is marked: where it is missing, it was moved, and may have the rows.

    Raises:
        TableRetired: it does not.
    """
    here = socket.gethostname()
    if retirement.host not in (None, here):
        why = f"This is {here}, which cannot tell what that file has."
    elif not retirement.is_done and not Path(retirement.place).exists():
        why = "That file was made, and is there no more: it was moved, and may have the jobs. Move it back."
    else:
        return
    raise TableRetired(
        retirement.refusal(str(source)).message,
        hint=f"Nothing was changed. {why} {_IF_LOST.format(source=source, target=target)}",
    )


def _make_room(target: TablePlace) -> None:
    """A server's table is made where there is none; a file is, as it is opened."""
    if target.url is not None:
        init_server(target.url)


def _take_journals(source: TablePlace, target: TablePlace) -> int:
    """Have the journals beside the source beside the target, too: each is a witness for it. How many came.

    Their copies in the state folder are found by the table's name, which goes along.

    Raises:
        CannotWrite: the disk refuses.
    """
    folder, many = beside(target.path), 0
    try:
        for journal in journals_in(beside(source.path)):
            place = folder / journal.name
            if place.exists() and place.stat().st_size == journal.stat().st_size:
                continue
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_file(place) as file:
                shutil.copy2(journal, file.path)
                file.commit()
            many += 1
        if many:
            sync_folder(folder.parent)
    except OSError as error:
        raise CannotWrite(
            f"The journal of {source} cannot be taken to {folder}: {error.strerror or error}.",
            hint="Make room there; then the same copy completes what it began.",
        ) from error
    return many
