"""The plan of a run, told before anything is paid: what is to be sent, its price, what is odd about it."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from jobs.store.store import Store
from jobs.views import BatchView
from runner.humanize import count_of, duration, price
from runner.planning.consent import price_of

Work = Mapping[str, tuple[int, int]]

_SHOWN = 5


async def foretell(
    store: Store,
    batch: BatchView,
    work: Work,
    prices: Mapping[str, Decimal],
    notice: Callable[[str], None],
    *,
    asked: bool,
) -> None:
    """Tell what a person should know before `work` is sent; where one is `asked`, not the price."""
    if not asked:
        jobs, pictures = (sum(both[place] for both in work.values()) for place in (0, 1))
        cost = price(*price_of(work, prices))
        notice(f"To be sent: {count_of(jobs, 'job')}, at most {count_of(pictures, 'picture')}, {cost}.")
    warned = await store.preview.warnings(batch.id, _SHOWN)
    if warned.jobs:
        notice(f"{count_of(warned.jobs, 'job')} of them with a warning:")
        for row, key, text in warned.first:
            notice(f"  row {row}: {key}: {text}")
        if warned.jobs > len(warned.first):
            notice(f"  and {warned.jobs - len(warned.first):,} more: `nightsheet check` shows them.")
    if not batch.dedupe and (repeats := await store.preview.repeats(batch.id)):
        copies = count_of(sum(jobs for jobs, _pictures in repeats.values()), "job")
        notice(
            f"{copies} of the batch would send what another row sends, seed included "
            f"(--dedupe sends one for all), {price(*price_of(repeats, prices))}."
        )
    pace = await store.preview.throughput(batch.origin)
    if pace:
        seconds = 60 * sum(jobs for jobs, _pictures in work.values()) / pace
        notice(f"At the pace of the last run they take about {duration(seconds)}.")
