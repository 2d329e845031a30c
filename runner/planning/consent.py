"""Consent to pay. A job without it is never sent; it is recorded with the job."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person is asked to consent to."""

    batch: str
    jobs: int
    images: int
    """The most that the jobs ask for."""
    least_images: int
    """One a job: a model may return fewer images than asked for."""
    low_usd: Decimal | None
    high_usd: Decimal | None
    """Both are None where the price of one of the models is unknown."""
    again: bool = False
    """Whether they were paid for before. `--yes` does not agree to that, nor does nobody."""


Consent = Callable[[Ask], Awaitable[bool]]
"""Returns whether to pay. Raises UsageProblem where nobody can be asked."""


async def agreed_to_all(_ask: Ask) -> bool:
    """The answer of `--yes`, and of the emulator, which costs nothing."""
    return True
