"""Jobs that a command left as they are, in words and as JSON; and a price range as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from jobs.manifests.record import dollars
from runner.deciding.changes import NotChanged
from runner.humanize import count_of

_ONE_BY_ONE = 10


def not_changed_lines(verdict: str, jobs: Sequence[NotChanged], *, all_jobs: bool) -> Iterator[str]:
    """`Not retried: fox: it is succeeded`, a line a job; beyond ten, a line for each state and reason."""
    if all_jobs or len(jobs) <= _ONE_BY_ONE:
        yield from (f"{verdict}: {job.key}: {job.reason}" for job in jobs)
        return
    for (state, reason), number in Counter((job.state, job.reason) for job in jobs).items():
        yield f"{verdict}: {count_of(number, f'{state} job')}: {reason}"


def not_changed_json(jobs: Sequence[NotChanged]) -> list[dict[str, str]]:
    """The same for scripts."""
    return [{"key": job.key, "reason": job.reason} for job in jobs]


def price_json(low: Decimal | None, high: Decimal | None) -> dict[str, Any]:
    """A price range for scripts; null where it is not known."""
    return {"low_usd": dollars(low), "high_usd": dollars(high)}
