"""A running emulator, a clock that can be put forward, and a client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from runner.clock import SystemClock
from runner.emulator.faults.faults import Fault
from runner.emulator.http.server import Handle, serve
from runner.emulator.settings import EmulatorSettings

SEQUENTIAL = "bytedance/seedream-4-5/sequential"
TOKEN = {"Authorization": "Bearer night"}
WAVES = {"prompt": "waves", "sequential_image_generation_options": 2}
SETTINGS = EmulatorSettings(sigma=0, median_seconds=20, speed=1, picture_scale=1 / 16)


class Clock(SystemClock):
    """Stands still until put forward by `ahead`; sleeping is noted and takes no time."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_795_212_000 + self.ahead, UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Served:
    """A running emulator with a client."""

    def __init__(self, handle: Handle, client: httpx.AsyncClient, clock: Clock) -> None:
        self.handle = handle
        self.client = client
        self.clock = clock

    def arm(self, endpoint: str, kind: str, **fields: Any) -> None:
        """Arm one fault, once."""
        self.handle.service.faults = [Fault.model_validate({"endpoint": endpoint, "kind": kind} | fields)]

    async def submit(self, body: Any = WAVES) -> httpx.Response:
        return await self.client.post(f"/models/{SEQUENTIAL}", json=body)

    async def ended(self) -> dict[str, Any]:
        """Submit, let it end; returns the submit's answer."""
        answer: dict[str, Any] = (await self.submit()).json()
        self.clock.ahead += 20
        return answer

    async def links(self) -> list[str]:
        """The pictures of a request that has ended."""
        result = await self.client.get((await self.ended())["result_url"])
        links: list[str] = result.json()["output"]["images"]
        return links


@asynccontextmanager
async def running(**choices: Any) -> AsyncIterator[Served]:
    """An emulator on a free port, with these choices, and a client that has a token."""
    clock = Clock()
    settings = EmulatorSettings.model_validate(SETTINGS.model_dump() | choices)
    async with (
        serve(settings, clock) as handle,
        httpx.AsyncClient(base_url=handle.base_url, headers=TOKEN) as client,
    ):
        yield Served(handle, client, clock)
