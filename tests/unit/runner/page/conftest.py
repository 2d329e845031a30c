"""Fixtures of the page's tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.served_page import Served, served_page


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

    def ended(task: "asyncio.Task[None]") -> None:  # before it was ready: the test fails by its error
        if not ready.done() and (error := task.exception()) is not None:
            ready.set_exception(error)

    task.add_done_callback(ended)
    served = await ready
    assert (await served.enter()).status_code == 200
    yield served
    left.set()
    await task
    assert served.reported == []
