"""The provider over real HTTP to an emulator whose clock stands still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from runner.emulator.faults.faults import Fault
from runner.emulator.http.server import Handle, serve
from runner.emulator.settings import EmulatorSettings
from runner.http.api_client import ApiClient
from runner.providers.base import (
    Taken,
)
from runner.providers.runcomfy.api import RunComfy
from tests.unit.runner.emulator.served import Clock

SINGLE = "bytedance/seedream-4-5/text-to-image"
PROMPT = b'{"prompt": "a lighthouse"}'
SERIES = b'{"prompt": "waves", "sequential_image_generation_options": 2}'


class Api:
    """A provider, and the emulator behind it."""

    def __init__(self, provider: RunComfy, handle: Handle, clock: Clock) -> None:
        self.provider = provider
        self.service = handle.service
        self.clock = clock

    def arm(self, endpoint: str, kind: str, **fields: Any) -> None:
        """Arm one fault, once."""
        self.service.faults = [Fault.model_validate({"endpoint": endpoint, "kind": kind} | fields)]

    async def taken(self, model: str = SINGLE, payload: bytes = PROMPT) -> str:
        verdict = await self.provider.submit(model, payload)
        assert isinstance(verdict, Taken)
        return verdict.request_id

    async def ended(self, model: str = SINGLE, payload: bytes = PROMPT) -> str:
        """A request that has come to its end."""
        request_id = await self.taken(model, payload)
        self.clock.ahead += 100
        return request_id


@asynccontextmanager
async def api(seconds: float = 5.0, **settings: Any) -> AsyncIterator[Api]:
    """An API with these choices, whose clock stands still."""
    clock = Clock()
    chosen = {"sigma": 0, "median_seconds": 20, "speed": 1, "picture_scale": 1 / 64} | settings
    async with (
        serve(EmulatorSettings(**chosen), clock) as handle,
        ApiClient(handle.base_url, SecretStr("night")) as client,
    ):
        yield Api(RunComfy(client, clock, submit_timeout=seconds, timeout=seconds), handle, clock)
