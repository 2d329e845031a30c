"""Group commit: many writes share a transaction, and none of them loses by it. Cancellation stays outside."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from jobs.errors import CannotWrite
from jobs.store.sql.transactions import TURNS, Database, Operation
from jobs.store.sqlite.database import open_database
from tests.support.databases import add, names
from tests.support.faulty_sqlite import Way, failing_sqlite
from tests.support.fuse import Fuse
from tests.support.tables import Gate, hold_writes, select
from tests.support.virtual_time import virtual

SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    " INSERT INTO batch (name, sheet, origin, created_at, generation)"
    " SELECT 'slow', max(i), 'o', 't', 0 FROM n"
)


@dataclass
class Seen:
    """The transactions that were begun and ended, in order."""

    events: list[str] = field(default_factory=list)


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Listens to every engine."""
    seen = Seen()
    listeners = {}
    for name in ("begin", "commit", "rollback"):

        def listen(_connection: Connection, name: str = name) -> None:
            seen.events.append(name)

        listeners[name] = listen
        event.listen(Engine, name, listen)
    yield seen
    for name, listener in listeners.items():
        event.remove(Engine, name, listener)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Database]:
    """A database without a batch."""
    async with open_database(tmp_path / "night.db") as database:
        yield database


async def together(database: Database, *operations: Operation[str]) -> list[str | Exception]:
    """Write all of them at once, behind one write that keeps the connection busy; what each came to."""
    results: list[str | Exception] = ["pending"] * len(operations)

    async def one(place: int, operation: Operation[str]) -> None:
        try:
            results[place] = await database.write(operation)
        except (IntegrityError, CannotWrite) as error:
            results[place] = error

    async with anyio.create_task_group() as tasks:
        gate = await hold_writes(database, tasks)
        for place, operation in enumerate(operations):
            tasks.start_soon(one, place, operation)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    return results


async def test_writes_that_wait_share_a_commit(opened: Database, seen: Seen) -> None:
    """Fifty workers, two commits: the one that they waited for, and their own."""
    wanted = [f"n{number}" for number in range(50)]
    assert await together(opened, *map(add, wanted)) == wanted
    assert seen.events == ["begin", "commit"] * 2
    assert await opened.read(names) == wanted


async def test_a_lone_write_does_not_wait_for_company(opened: Database, seen: Seen) -> None:
    """One write, one transaction."""
    await opened.write(add("a"))
    await opened.write(add("b"))
    assert seen.events == ["begin", "commit"] * 2


async def test_an_end_of_the_committer_before_its_commit_is_told(opened: Database) -> None:
    """While it leaves a turn to others: nobody waits for a commit that does not come."""
    came: list[BaseException] = []

    async def write() -> None:
        try:
            await opened.write(add("a"))
        except BaseException as error:
            came.append(error)
            raise

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    committer = opened._committer
    assert committer is not None
    committer.cancel()
    with anyio.fail_after(5):
        await asyncio.wait([writing])
    assert [type(error) for error in came] == [asyncio.CancelledError]
    await opened.write(add("b"))
    assert await opened.read(names) == ["b"]


async def test_a_write_that_comes_a_turn_later_shares_the_commit(opened: Database, seen: Seen) -> None:
    """Under load many are about to write: a commit is begun a few turns of the loop later."""

    async def later(name: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await opened.write(add(name))

    await opened.write(add("before"))  # the connection is open
    seen.events.clear()
    async with anyio.create_task_group() as tasks:
        for turns in range(TURNS):
            tasks.start_soon(later, f"n{turns}", turns)
    assert seen.events == ["begin", "commit"]


@virtual
async def test_a_lone_write_takes_no_time(tmp_path: Path) -> None:
    """What a commit leaves to others is turns of the loop: nothing is timed."""
    async with open_database(tmp_path / "night.db") as database:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await database.write(add("a"))
        assert loop.time() == begun


async def test_a_failing_write_does_not_undo_its_neighbours(opened: Database, seen: Seen) -> None:
    """The group is undone, and each has a transaction of its own; the error goes to its own caller."""
    await opened.write(add("taken"))
    seen.events.clear()
    first, failed, last = await together(opened, add("a"), add("taken"), add("b"))
    assert (first, last) == ("a", "b")
    assert isinstance(failed, IntegrityError)
    assert await opened.read(names) == ["taken", "a", "b"]
    group, alone = ["begin", "rollback"], ["begin", "commit"]
    assert seen.events[:-2] == [*alone, *group, *alone, *group, *alone]


@pytest.mark.parametrize("way", [Way.LATE, Way.IO])
async def test_a_commit_that_failed_is_not_made_again(tmp_path: Path, way: Way) -> None:
    """It may have come about: made twice, a write would meet itself and be taken for somebody else's."""
    fuse, path = Fuse(at=0), tmp_path / "night.db"
    with failing_sqlite(fuse, way):
        async with open_database(path) as database:
            before = 2  # the one that keeps the connection busy: its begin and its commit
            fuse.at = fuse.calls + before + len(["begin", "insert", "insert", "commit"])
            results = await together(database, add("a"), add("b"))
    assert [type(result) for result in results] == [CannotWrite, CannotWrite]
    kept = ["a", "b"] if way is Way.LATE else []
    assert [row["name"] for row in select(path, "SELECT name FROM batch")] == kept


async def test_a_write_that_may_run_only_once_has_a_transaction_of_its_own(opened: Database) -> None:
    """A neighbour that fails does not make it run again."""
    runs = 0

    def once(connection: Connection) -> str:
        nonlocal runs
        runs += 1
        return add("once")(connection)

    async with anyio.create_task_group() as tasks:
        gate = await hold_writes(opened, tasks)
        tasks.start_soon(opened.write, add("before"))
        tasks.start_soon(opened.write_once, once)
        tasks.start_soon(fails, opened)
        tasks.start_soon(opened.write, add("after"))
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert runs == 1
    assert sorted(await opened.read(names)) == ["after", "before", "once"]


async def fails(database: Database) -> None:
    """A write that breaks a rule of the tables."""

    def run(connection: Connection) -> None:
        connection.execute(text("INSERT INTO batch (id) VALUES (1)"))

    with suppress(IntegrityError):
        await database.write(run)


async def test_a_cancelled_write_is_written_all_the_same(opened: Database) -> None:
    """The cancel waits until the statement is done: cut short, it was seen to leave the write lock held."""
    slow, after = Gate(lambda connection: connection.execute(SLOW)), False

    async def write() -> None:
        nonlocal after
        await opened.write(slow)
        await anyio.lowlevel.checkpoint()
        after = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await slow.entered.wait()
        tasks.cancel_scope.cancel()
        slow.opened.set()
    assert not after  # it did arrive, behind the write
    assert await opened.read(names) == ["slow"]
    assert lock_is_free(opened.path)
    assert await opened.write(add("next")) == "next"


async def test_a_write_that_is_cancelled_in_the_queue_is_written_all_the_same(opened: Database) -> None:
    """Cancelled or not, a caller that asked for a write has it: nothing is half known."""

    async def cancelled() -> None:
        async with anyio.create_task_group() as inner:
            inner.start_soon(opened.write, add("cancelled"))
            await anyio.wait_all_tasks_blocked()
            inner.cancel_scope.cancel()
            gate.set()

    async with anyio.create_task_group() as tasks:
        gate = await hold_writes(opened, tasks)
        tasks.start_soon(cancelled)
        tasks.start_soon(opened.write, add("neighbour"))
    assert sorted(await opened.read(names)) == ["cancelled", "neighbour"]
    assert lock_is_free(opened.path)


async def test_a_bare_cancel_does_not_take_the_neighbours_with_it(opened: Database) -> None:
    """`task.cancel()` passes every shield. What is being committed with it must not be dropped."""
    leads = Gate(add("leader"))
    async with anyio.create_task_group() as tasks:
        gate = await hold_writes(opened, tasks)
        leader = asyncio.create_task(opened.write(leads))
        neighbour = asyncio.create_task(opened.write(add("neighbour")))
        await anyio.wait_all_tasks_blocked()
        gate.set()
        await leads.entered.wait()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        leads.opened.set()
        assert await neighbour == "neighbour"
    assert await opened.read(names) == ["leader", "neighbour"]
    assert lock_is_free(opened.path)


async def test_closing_waits_for_what_is_being_written(tmp_path: Path) -> None:
    """A bare cancel ends a caller's wait, and with it the program, before its write is done."""
    path = tmp_path / "other.db"
    slow = Gate(add("slow"))

    async def run() -> None:
        async with open_database(path) as database:
            await database.write(slow)

    task = asyncio.create_task(run())
    await slow.entered.wait()
    task.cancel()
    await anyio.wait_all_tasks_blocked()
    slow.opened.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert select(path, "SELECT name FROM batch") == [{"name": "slow"}]


def lock_is_free(path: Path) -> bool:
    """Whether another process could write now."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    return True
