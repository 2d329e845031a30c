"""The door: the shell at once, all else when it is there, and nobody waits for ever."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import anyio
import httpx
import pytest
from starlette.responses import PlainTextResponse

from runner.page import server
from runner.page.door import PageDoor
from runner.page.shell import version
from tests.support.served_page import Served


@pytest.fixture
async def client() -> AsyncIterator[tuple[PageDoor, httpx.AsyncClient]]:
    """A door with nothing behind it yet, and who knocks at it."""
    door = PageDoor()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://page") as knocking:
        yield door, knocking


async def test_the_shell_is_there_before_all_else(client: tuple[PageDoor, httpx.AsyncClient]) -> None:
    """With its script; what needs the table waits until there is somebody to answer."""
    door, knocking = client
    assert "<title>Nightsheet</title>" in (await knocking.get("/b/night/p/a/1")).text
    assert (await knocking.get(f"/s/{version()}/page.js")).status_code == 200
    answers = list[str]()

    async def ask(method: str, path: str) -> None:
        answers.append((await knocking.request(method, path)).text)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "GET", "/api/batches")
        tasks.start_soon(ask, "POST", "/b/night/")
        await anyio.wait_all_tasks_blocked()
        assert answers == []
        door.open(PlainTextResponse("behind"))
    assert answers == ["behind", "behind"]


async def test_nobody_waits_for_what_cannot_come(
    client: tuple[PageDoor, httpx.AsyncClient], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation that lacks a part: whoever waits is told, and so is the command."""
    door, knocking = client

    def lacking(_store: object) -> None:
        raise ImportError("no such part")

    monkeypatch.setattr(server, "_import_app", lacking)
    with pytest.raises(ImportError, match="no such part"):
        await server._open(door, SimpleNamespace(store=served.table.store), None, 0)  # type: ignore[arg-type]
    assert (await knocking.get("/api/batches")).status_code == 503
