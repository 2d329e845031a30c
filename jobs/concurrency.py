"""How many jobs may be at the API at once: a number, or `auto`, which finds it out."""

from typing import Final, Literal

Auto = Literal["auto"]
AUTO: Final[Auto] = "auto"
Concurrency = int | Auto
MOST_IN_FLIGHT = 1000
