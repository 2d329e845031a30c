"""A store of pictures that a test looks into, and that fails when it is told to."""

from collections import deque
from collections.abc import Callable
from typing import Any

from runner.uploads.object_store import Bucket


class FakeFiles:
    """As much of an fsspec filesystem as pictures need. `fails` holds what the next calls raise."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.signed: list[int] = []
        self.fails: deque[Exception] = deque()
        self.host = "https://store.example"
        self.at_put: Callable[[], None] = lambda: None

    def _called(self, name: str, place: str) -> None:
        self.calls.append((name, place))
        if self.fails:
            raise self.fails.popleft()

    def info(self, place: str) -> dict[str, Any]:
        self._called("info", place)
        if place not in self.objects:
            raise FileNotFoundError(place)
        return {"size": len(self.objects[place])}

    def pipe_file(self, place: str, data: bytes, ContentType: str) -> None:
        self._called("put", place)
        self.at_put()
        self.objects[place] = data
        self.types[place] = ContentType

    def sign(self, place: str, expiration: int) -> str:
        self._called("sign", place)
        self.signed.append(expiration)
        return f"{self.host}/{place}?signature={len(self.signed)}"

    @property
    def puts(self) -> list[str]:
        """What was put there, call by call."""
        return [place for name, place in self.calls if name == "put"]

    def bucket(self) -> Bucket:
        return Bucket(self, "bucket/refs", "s3")
