"""Consent to pay. A job without it is never sent; it is recorded with the job."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from jobs.workload import Amount, Workload


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


Consent = Callable[[Ask], Awaitable[bool]]
"""Returns whether to pay. Raises UsageProblem where nobody can be asked."""


def price_of(
    work: Mapping[str, tuple[int, int]], prices: Mapping[str, Decimal]
) -> tuple[Decimal | None, Decimal | None]:
    """The lowest and the highest price of `work` in USD; None where a price is unknown."""
    return Workload({model: Amount(*amount) for model, amount in work.items()}).price_range(prices)


async def agreed_to_all(_ask: Ask) -> bool:
    """The answer of `--yes`, and of the emulator, which costs nothing."""
    return True
