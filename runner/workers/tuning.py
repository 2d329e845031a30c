"""How fast a batch runs and what it may cost: the settings, and what `tune` stored in the table."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from jobs.concurrency import Concurrency
from jobs.views import BatchView
from runner.settings import Settings
from runner.workers.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tuning:
    """Jobs in flight, submits a minute, USD in all; None is no limit."""

    concurrency: Concurrency
    rate: float | None
    budget: Decimal | None


def tuning_for(settings: Settings, batch: BatchView, *, flags_count: bool = True) -> Tuning:
    """The tuning of a batch. A flag overrides `tune`, which overrides the environment and the file.

    Without `flags_count`, `tune` overrides flags too: it ran after the command started.
    """

    def effective(name: str, value: T, tuned: T | None) -> T:
        return value if tuned is None or (flags_count and settings.on_command_line(name)) else tuned

    return Tuning(
        concurrency=settings.in_flight(effective("concurrency", settings.concurrency, batch.concurrency)),
        rate=effective("rate", settings.rate, batch.rate),
        budget=effective("budget", settings.budget, batch.budget),
    )


def tuning_of(run: Context) -> Tuning:
    """The tuning that a run has now."""
    return Tuning(run.limits.in_flight.concurrency, run.limits.throttle.rate, run.limits.budget.limit)


def apply_tuning(run: Context, now: Tuning) -> None:
    """Change the tuning of a running batch."""
    if now.concurrency != run.limits.in_flight.concurrency:
        run.limits.in_flight.set(now.concurrency)
    run.limits.throttle.rate = now.rate
    run.limits.budget.limit = now.budget
