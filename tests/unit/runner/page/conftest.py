"""Fixtures of the page's tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.runner.page.served import Served, served_page


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A page over three queued jobs, entered."""
    ready: asyncio.Future[Served] = asyncio.get_running_loop().create_future()
    left = asyncio.Event()

    async def serve() -> None:  # in one task from beginning to end: a fixture is left in another one
        async with served_page(tmp_path, "a", "b", "c") as served:
            ready.set_result(served)
            await left.wait()

    task = asyncio.create_task(serve())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    served = ready.result() if ready.done() else await task
    assert served is not None
    assert (await served.enter()).status_code == 200
    yield served
    left.set()
    await task
    assert served.reported == []
