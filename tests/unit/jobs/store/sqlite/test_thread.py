"""The connection's thread: what is relied on in aiosqlite, which has no public name for it."""

import threading
from pathlib import Path

import pytest
from anyio import to_thread
from sqlalchemy import Connection

from jobs.store.sqlite.thread import open_thread


async def test_work_is_done_whole_on_one_thread_that_is_not_the_loops(tmp_path: Path) -> None:
    """Its result and its error come back; the connection is the same each time."""
    before = set(threading.enumerate())
    opened = await open_thread(tmp_path / "night.db", writing=True)

    def who(connection: Connection) -> tuple[int, int]:
        return threading.get_ident(), id(connection)

    def fails(_connection: Connection) -> None:
        raise LookupError("nothing there")

    try:
        first, second = await opened.run(who), await opened.run(who)
        assert first == second
        assert first[0] != threading.get_ident()
        with pytest.raises(LookupError, match="nothing there"):
            await opened.run(fails)
        assert await opened.run(who) == first
    finally:
        await opened.close()
    assert await is_over(before)


async def test_a_thread_does_not_outlive_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    """A process that is to end would wait for it for ever."""
    before = set(threading.enumerate())
    (tmp_path / "night.db").write_bytes(b"no database, that is sure" * 100)
    with pytest.raises(Exception, match="not a database"):
        await open_thread(tmp_path / "night.db", writing=False)
    assert await is_over(before)


async def is_over(before: set[threading.Thread]) -> bool:
    """Whether every thread that was started since ends by itself."""
    since = [thread for thread in threading.enumerate() if thread not in before]
    for thread in since:
        await to_thread.run_sync(thread.join, 30)
    return not any(thread.is_alive() for thread in since)
