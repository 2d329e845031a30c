"""How many jobs may be at the API at once: a number, or `auto`, which finds it out."""

from dataclasses import dataclass
from typing import Any, Final, Literal

Auto = Literal["auto"]
AUTO: Final[Auto] = "auto"
Concurrency = int | Auto
MOST_IN_FLIGHT = 1000


@dataclass(frozen=True, slots=True)
class FoundLimit:
    """What `auto` found out of an account: jobs in flight that pay off, and how many it takes at most."""

    in_flight: int
    ceiling: int | None = None
    """Beyond it submits were answered 429; None where none was."""


NUMBER: Final = "number"


def kind_of(concurrency: object) -> str:
    """`auto` or a number: so that a wrong number is told as one, and not also as a wrong word."""
    return AUTO if concurrency == AUTO else NUMBER


def at_most(asked: Concurrency, most: int) -> Concurrency:
    """As many as are asked for, and no more than `most`; `auto` keeps its own bound."""
    return asked if asked == AUTO else min(asked, most)


def is_lower(wanted: Any, holds: Any) -> bool:
    """Whether a limit is below the one that holds. `auto` has no limit of its own, and None is none."""
    if wanted is None or wanted == AUTO:
        return False
    return holds is None or holds == AUTO or bool(wanted < holds)
