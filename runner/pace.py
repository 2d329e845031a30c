"""How fast a batch runs and what it may cost: the settings, and what `tune` left in the database."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from jobs.views import BatchView
from runner.context import Context
from runner.settings import Settings


@dataclass(frozen=True, slots=True)
class Pace:
    """Jobs in flight, submits a minute, USD in all; None is no limit."""

    concurrency: int
    rate: float | None
    budget: Decimal | None


def pace(settings: Settings, batch: BatchView) -> Pace:
    """A flag of this command beats `tune`, which beats the environment and the file."""
    return Pace(
        concurrency=_chosen(settings, "concurrency", settings.concurrency, batch.concurrency),
        rate=_chosen(settings, "rate", settings.rate, batch.rate),
        budget=_chosen(settings, "budget", settings.budget, batch.budget),
    )


T = TypeVar("T")


def _chosen(settings: Settings, name: str, value: T, tuned: T | None) -> T:
    return value if tuned is None or settings.is_said(name) else tuned


def keep_pace(run: Context, now: Pace) -> None:
    """Have a run that is on keep another pace from here on."""
    run.slots.total_tokens = now.concurrency
    run.throttle.rate = now.rate
    run.budget.limit = now.budget
