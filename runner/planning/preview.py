"""Shows the plan of a run before anything is paid: jobs, price, warnings, repeats and likely duration."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from jobs.store.store import Store
from jobs.views import BatchView
from jobs.workload import Workload
from runner.humanize import count_of, duration, price

_SHOWN = 5


async def preview(
    store: Store,
    batch: BatchView,
    work: Workload,
    prices: Mapping[str, Decimal],
    notice: Callable[[str], None],
    *,
    asked: bool,
) -> None:
    """Show the plan for `work`. Where a person is `asked` for consent, the question shows the price."""
    if not asked:
        jobs, images = work.jobs, work.images
        cost = price(*work.price_range(prices))
        notice(f"To be sent: {count_of(jobs, 'job')}, at most {count_of(images, 'picture')}, {cost}.")
    warned = await store.preview.warnings(batch.id, _SHOWN)
    if warned.jobs:
        notice(f"{count_of(warned.jobs, 'job')} of them with a warning:")
        for row, key, text in warned.first:
            notice(f"  row {row}: {key}: {text}")
        if warned.jobs > len(warned.first):
            notice(f"  and {warned.jobs - len(warned.first):,} more: `nightsheet check` shows them.")
    if not batch.dedupe and (repeats := await store.preview.repeats(batch.id)):
        copies = count_of(repeats.jobs, "job")
        notice(
            f"{copies} of the batch would send what another row sends, seed included "
            f"(--dedupe sends one for all), {price(*repeats.price_range(prices))}."
        )
    throughput = await store.preview.throughput(batch.origin)
    if throughput:
        seconds = 60 * work.jobs / throughput
        notice(f"At the pace of the last run they take about {duration(seconds)}.")
