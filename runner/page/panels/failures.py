"""Failed jobs by kind, with what another try of each kind costs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobs.failures import ONLY_IF_NAMED, FailureKind
from jobs.manifests.record import dollars
from runner.deciding.changes import nobody_asks, price_to_send
from runner.deciding.retry import RetryPlan, plan_retry
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

MOST_SHOWN = 20
"""Jobs of one kind; the search has all of them."""


async def plan_unasked(
    store: "Store", batch: "BatchView", keys: Sequence[str], kinds: Sequence[FailureKind]
) -> RetryPlan:
    """What a retry would do, without a question to the API, which the page cannot ask."""
    return await plan_retry(store, batch, keys, kinds, nobody_asks, submit_timeout=None)


async def failures(page: Page, batch: "BatchView") -> list[dict[str, Any]]:
    """One a kind, the most frequent first."""
    kinds = [kind for kind in FailureKind if kind is not FailureKind.UNCONFIRMED]
    plan = await plan_unasked(page.store, batch, (), kinds)
    of_kind: dict[FailureKind, dict[str, list[JobView]]] = defaultdict(lambda: defaultdict(list))
    for cost, jobs in (("free", (*plan.free, *plan.linked)), ("paid", plan.paid)):
        for job in jobs:
            if job.failure is not None:
                of_kind[job.failure.kind][cost].append(job)
    for one in plan.not_retried:
        lost = await page.store.jobs.by_key(batch.id, one.key)
        if lost is not None and lost.failure is not None:
            of_kind[lost.failure.kind]["unknown"].append(lost)
    told = [_kind(page, batch, kind, by_cost) for kind, by_cost in of_kind.items()]
    return sorted(told, key=lambda one: -one["jobs"])


def _kind(
    page: Page, batch: "BatchView", kind: FailureKind, by_cost: dict[str, list["JobView"]]
) -> dict[str, Any]:
    jobs = [job for found in by_cost.values() for job in found]
    low, high = price_to_send(batch, by_cost["paid"])
    return {
        "kind": kind.value,
        "jobs": len(jobs),
        "free": len(by_cost["free"]),
        "paid": len(by_cost["paid"]),
        "unknown": len(by_cost["unknown"]),
        "low_usd": dollars(low),
        "high_usd": dollars(high),
        "named_only": kind in ONLY_IF_NAMED,
        "messages": _messages(jobs),
        "command": page.command("retry", batch.name, "--kind", kind.value),
    }


def _messages(jobs: Sequence["JobView"]) -> list[dict[str, Any]]:
    """What the API said, word for word, each once, with the first of the jobs that it was said of."""
    said: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        if job.failure is not None:
            said[job.failure.message].append(job.key)
    ordered = sorted(said.items(), key=lambda one: -len(one[1]))
    return [{"message": text, "jobs": len(keys), "first": keys[0]} for text, keys in ordered[:MOST_SHOWN]]
