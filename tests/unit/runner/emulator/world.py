"""A clock that stands still until told, and services on it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from pydantic import JsonValue

from runner.emulator.faults.faults import Fault
from runner.emulator.service.answers import ServiceAnswer
from runner.emulator.service.journal import Journal, MemoryJournal
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings

SEQUENTIAL = "bytedance/seedream-4-5/sequential"
SINGLE = "bytedance/seedream-4-5/text-to-image"
OLD = "bytedance/seedream-4-0/sequential"
ORIGIN = "http://127.0.0.1:1"
TOKEN = "night"


class StillClock:
    """Time moves by `advance` alone; sleeping is recorded and takes no time."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.moment.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class World:
    """One service with its clock, and calls that know the token."""

    def __init__(
        self,
        *,
        clock: StillClock | None = None,
        journal: Journal | None = None,
        faults: Sequence[Fault] = (),
        **settings: Any,
    ) -> None:
        self.clock = clock or StillClock()
        self.journal = journal or MemoryJournal("nonce")
        defaults: dict[str, Any] = {
            "median_seconds": 10.0,
            "sigma": 0.0,
            "speed": 1.0,
            "picture_scale": 1 / 16,
        }
        self.settings = EmulatorSettings.model_validate(defaults | {"faults": tuple(faults)} | settings)
        self.service = EmulatorService(self.settings, self.clock, self.journal)

    def submit(self, body: Any = None, model: str = SINGLE, token: str | None = TOKEN) -> ServiceAnswer:
        body = {"prompt": "a lighthouse"} if body is None else body
        return self.service.submit(model, body, token=token, origin=ORIGIN)

    def accepted(self, body: Any = None, model: str = SINGLE) -> str:
        """Submit; returns the request_id."""
        request_id = self.submit(body, model).body["request_id"]
        assert isinstance(request_id, str)
        return request_id

    def series(self, count: int) -> str:
        """Submit a sequential request for `count` pictures; returns the request_id."""
        return self.accepted({"prompt": "waves", "sequential_image_generation_options": count}, SEQUENTIAL)

    def status(self, request_id: str) -> dict[str, JsonValue]:
        return self.service.status(request_id, token=TOKEN, origin=ORIGIN).body

    def word(self, request_id: str) -> JsonValue:
        return self.status(request_id)["status"]

    def result(self, request_id: str, *, include_cost: bool = False) -> dict[str, JsonValue]:
        return self.service.result(request_id, token=TOKEN, origin=ORIGIN, include_cost=include_cost).body

    def cancel(self, request_id: str) -> dict[str, JsonValue]:
        return self.service.cancel(request_id, token=TOKEN).body

    def output(self, request_id: str) -> dict[str, JsonValue]:
        """The output in the request's result."""
        output = self.result(request_id)["output"]
        assert isinstance(output, dict)
        return output

    def links(self, request_id: str) -> list[str]:
        """The addresses of the request's pictures."""
        output = self.output(request_id)
        images = [output["image"]] if "image" in output else output["images"]
        assert isinstance(images, list)
        return [str(image) for image in images]

    def media(self, link: str) -> ServiceAnswer:
        """Fetch a link."""
        return self.service.media(unquote(link.removeprefix(f"{ORIGIN}/media/")))
