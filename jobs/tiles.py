"""The tiles of a batch, as values: one an image, and one for each job that has none."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jobs.views import ArtifactView, JobView

BYTES_A_TILE = 12
"""In the list of tiles, column behind column, little endian: `i32` tile, `u32` job, `u16` width to height in
thousandths, `u8` state and, from bit 4, whether it has a warning, `u8` what a person decided: its verdict (0
is none), bit 2 if it was about an older image, bit 3 if it has a note, from bit 4 its stars.

A tile is the id of its image; a job without one has its own id, negated. The number of a state is its place
among all eight; that of a verdict is its place among all three, from 1.
"""


class TileOrder(StrEnum):
    """In which order tiles are listed."""

    SHEET = "sheet"
    NEWEST = "newest"
    """What ended last comes first."""


@dataclass(frozen=True, slots=True)
class TileList:
    """The tiles that a search finds, as bytes."""

    data: bytes

    @property
    def count(self) -> int:
        return len(self.data) // BYTES_A_TILE


@dataclass(frozen=True, slots=True)
class TileImage:
    """An image, with the id that its tile has."""

    id: int
    image: ArtifactView


@dataclass(frozen=True, slots=True)
class TileDetails:
    """A job with all that its tiles show."""

    job: JobView
    images: tuple[TileImage, ...]


@dataclass(frozen=True, slots=True)
class TileName:
    """A tile, by what lasts: its job's key, and its image."""

    key: str
    number: int
    """0 for a job without an image."""
    sha256: str | None


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A batch in the list of all."""

    name: str
    sheet: str
    created_at: datetime
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value that tiles have, and how many of them."""

    value: str
    tiles: int
