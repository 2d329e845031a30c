"""Agreement to pay: nothing is sent that nobody agreed to. What was agreed is recorded with the jobs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from jobs.workload import Amount, Workload


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person is asked to agree to."""

    batch: str
    jobs: int
    images: int
    """At most."""
    least_images: int
    low_usd: Decimal | None
    high_usd: Decimal | None
    """None where the price of one of the models is unknown."""


Consent = Callable[[Ask], Awaitable[bool]]
"""True: go on and pay. Raises UsageProblem where nobody can be asked."""


def price_of(
    work: Mapping[str, tuple[int, int]], prices: Mapping[str, Decimal]
) -> tuple[Decimal | None, Decimal | None]:
    """USD low and high for `work`; None where a price is unknown."""
    return Workload({model: Amount(*amount) for model, amount in work.items()}).price_range(prices)


async def agreed_to_all(_ask: Ask) -> bool:
    """The answer of `--yes`, and of the emulator, which costs nothing."""
    return True
