"""The plan in words: what is new against the batch, what it costs, what is paid for twice."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from jobs.states import JobState
from jobs.workload import Workload
from runner.cli.reports.plans.plan import Plan
from runner.humanize import count_of, price
from runner.planning.prices import Prices, PriceSource


def cost(work: Workload, prices: Mapping[str, Decimal]) -> str:
    """What it costs, or what would have to be known for that."""
    low, high = work.price_range(prices)
    return price(low, high) if high is not None else "at a price that is unknown until the API is asked"


def source_of_prices(prices: Prices) -> str:
    """Where the price comes from, and why it is not the API's of just now."""
    if prices.source is PriceSource.API:
        return "The price is the API's, asked just now."
    known = {
        PriceSource.LAST_RUN: "The price is the API's, of the batch's last run",
        PriceSource.SETTINGS: "The price is that under [prices] in nightsheet.toml",
    }.get(prices.source or PriceSource.UNKNOWN, "The price is not known")
    return f"{known} ({prices.why})."


def difference(plan: Plan, prices: Mapping[str, Decimal]) -> str:
    """`To send: 2 jobs (1 new, 1 changed), at most 2 pictures, for $0.08. 198 done, 1 gone.`"""
    left = plan.states[JobState.QUEUED] - plan.waiting
    parts = [*_counts(plan.changes, "new", "changed"), *([f"{left:,} left from before"] if left else [])]
    if plan.dedupe and plan.repeats:
        parts.append(f"less {plan.repeats.jobs:,} that are identical")
    others = [
        f"{number:,} {'done' if state is JobState.SUCCEEDED else state.value}"
        for state in JobState
        if state is not JobState.QUEUED and (number := plan.states[state])
    ]
    if plan.waiting:
        others.append(f"{plan.waiting:,} waiting for an identical job")
    if plan.gone:
        others.append(f"{plan.gone:,} gone")
    rest = f" {', '.join(others)}." if others else ""
    if not plan.to_send:
        return f"Nothing to send.{rest}"
    jobs, images = count_of(plan.to_send.jobs, "job"), count_of(plan.to_send.images, "picture")
    return f"To send: {jobs} ({', '.join(parts)}), at most {images}, {cost(plan.to_send, prices)}.{rest}"


def _counts(counted: Mapping[str, int], *words: str) -> list[str]:
    return [f"{counted[word]:,} {word}" for word in words if counted.get(word)]


def identical(
    work: Workload,
    prices: Mapping[str, Decimal],
    examples: Sequence[tuple[int, str]] = (),
    *,
    dedupe: bool = False,
) -> str:
    """Jobs that are paid for although an earlier row is identical, or would be without `dedupe`."""
    jobs = work.jobs
    says = "is identical to another row" if jobs == 1 else "are identical to another row"
    text = f"{count_of(jobs, 'job')} {says} (same model, inputs and seed), and "
    if dedupe:
        text += f"{'gets' if jobs == 1 else 'get'} its result: not sent, not paid"
    else:
        text += f"would be paid {cost(work, prices)}, unless one is sent for all with --dedupe"
    rows = ", ".join(f"{key} in row {row}" for row, key in examples)
    more = ", ..." if jobs > len(examples) else ""
    return f"{text}: {rows}{more}." if rows else f"{text}."
