"""What was done on the page: each has an id of its maker, so that what is sent twice is done once."""

from dataclasses import dataclass
from typing import Any

LONGEST_ACTION_ID = 64


@dataclass(frozen=True, slots=True)
class ActionNote:
    """An action, as it is kept: what it is called, what was asked, and what was answered."""

    action_id: str
    batch_id: int
    kind: str
    told: dict[str, Any]
    answer: dict[str, Any]
