"""Pictures of the machine that rows name, the store that they are put into, and what is sent of them."""

import hashlib
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.catalog.image_urls import name_by_content
from jobs.payload import payload
from tests.support.fake_files import FakeFiles
from tests.support.small_pictures import put

INSIDE = "data-uri"
STORED = "s3://bucket/refs"

PICTURED = '"picture:sha256:'
"""What a job's inputs hold that name a picture of the machine: these very bytes are not what is sent."""
COLOURS = ("teal", "red", "blue", "gold")

_STORED = re.compile(r"https://store\.example/bucket/refs/(\w+)\.png\?signature=\d+")


class RefStore(FakeFiles):
    """Outlives every run. `trouble` says what it answers instead."""

    def __init__(self, trouble: Callable[[], Exception | None]) -> None:
        super().__init__()
        self._trouble = trouble

    def _called(self, name: str, place: str) -> None:
        super()._called(name, place)
        if (error := self._trouble()) is not None:
            raise error


def paint(folder: Path, key: str, colour: str) -> str:
    """Put a row's picture there; returns the cell that names it."""
    put(folder / "refs" / f"{key}.png", colour=colour)
    return f"refs/{key}.png"


def as_planned(body: Any) -> str:
    """The inputs of a job from what the API was sent: pictures by their content, however they came."""
    return payload(
        {
            name: [_by_content(one) for one in value] if isinstance(value, list) else value
            for name, value in body.items()
        }
    )


def _by_content(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if stored := _STORED.fullmatch(value):
        return name_by_content(stored[1], "png")
    if value.startswith("data:image/png;base64,"):
        return name_by_content(hashlib.sha256(b64decode(value.partition(",")[2])).hexdigest(), "png")
    return value
