"""Pictures that are to be made once more: which, and the sheet that already has them."""

from dataclasses import dataclass
from datetime import datetime

NEW_SEED, SAME_SEED = "new", "same"
MOST_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Rewording:
    """What is to be other about an image that is made once more."""

    prompt: str | None
    """None: the same words."""
    seed: str = NEW_SEED
    """new, same, or a number."""
    variants: int = 1
    cells: tuple[tuple[str, str], ...] = ()
    """Other cells of its row, by their columns."""


@dataclass(frozen=True, slots=True)
class MarkedReroll:
    """A picture, or a job without one, that a person has marked for a re-roll."""

    job_id: int
    key: str
    number: int
    decided_at: datetime
    sheet: str | None = None
    """The sheet that it was written into last."""
    made_at: datetime | None = None
    words: Rewording | None = None
    """What a person typed for the next sheet; None: what holds for all of it."""

    @property
    def is_open(self) -> bool:
        """Whether it was marked after it was last written into a sheet."""
        return self.made_at is None or self.made_at < self.decided_at


@dataclass(frozen=True, slots=True)
class MadeReroll:
    """What a marked picture became in a sheet."""

    marked: MarkedReroll
    new_keys: tuple[str, ...]
    seed: str
    variants: int
