"""How a batch stands, reckoned from what the table holds: for `status`, and for the head of the page."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, RunView

PACE_MINUTES = 10
"""The pace is measured over the last minutes, or over the run if it is younger."""


async def jobs_a_minute(store: "Store", batch: "BatchView", run: "RunView | None", now: datetime) -> float:
    """How many jobs end a minute; 0 where nobody is at work, or nothing is sent."""
    if run is None or batch.paused:
        return 0.0
    since = max(run.started_at, now - timedelta(minutes=PACE_MINUTES))
    minutes = (now - since).total_seconds() / 60
    return await store.jobs.ended_since(batch.id, since) / minutes if minutes > 0 else 0.0


def price_of_queued(batch: "BatchView", queued: Mapping[str, tuple[int, int]]) -> tuple[Decimal, bool]:
    """USD for what is to be sent, of jobs and images by model; and whether a price is not known."""
    priced = (batch.prices[model] * images for model, (_, images) in queued.items() if model in batch.prices)
    return sum(priced, Decimal(0)), any(model not in batch.prices for model in queued)
