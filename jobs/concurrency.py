"""How many jobs may be at the API at once: a number, or `auto`, which finds it out."""

from typing import Final, Literal

Auto = Literal["auto"]
AUTO: Final[Auto] = "auto"
Concurrency = int | Auto
MOST_IN_FLIGHT = 1000

NUMBER: Final = "number"


def kind_of(concurrency: object) -> str:
    """`auto` or a number: so that a wrong number is told as one, and not also as a wrong word."""
    return AUTO if concurrency == AUTO else NUMBER


def at_most(asked: Concurrency, most: int) -> Concurrency:
    """As many as are asked for, and no more than `most`; `auto` keeps its own bound."""
    return asked if asked == AUTO else min(asked, most)
