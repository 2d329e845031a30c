"""The plan of a run, told before anything is paid: what is to be sent, its price, what is odd about it."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from jobs.store.door import Store
from jobs.views import BatchView
from runner.consent import price_of

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
        notice(
            f"To be sent: {_many(jobs, 'job')}, at most {_many(pictures, 'picture')}, {_cost(work, prices)}."
        )
    warned = await store.to_be_warned_of(batch.id, _SHOWN)
    if warned.jobs:
        notice(f"{_many(warned.jobs, 'job')} of them with a warning:")
        for row, key, text in warned.first:
            notice(f"  row {row}: {key}: {text}")
        if warned.jobs > len(warned.first):
            notice(f"  and {warned.jobs - len(warned.first):,} more: `nightsheet check` shows them.")
    repeats = await store.repeats(batch.id)
    if repeats:
        many = _many(sum(jobs for jobs, _pictures in repeats.values()), "job")
        notice(
            f"{many} of the batch would send what another row sends, seed included "
            f"(--dedupe sends one for all), {_cost(repeats, prices)}."
        )
    pace = await store.pace(batch.origin)
    if pace:
        minutes = sum(jobs for jobs, _pictures in work.values()) / pace
        notice(f"At the pace of the last run they take about {_duration(minutes)}.")


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _cost(work: Work, prices: Mapping[str, Decimal]) -> str:
    low, high = price_of(work, prices)
    if low is None or high is None:
        return "at a price that is not known"
    return f"for ${low:,.2f}" if low == high else f"for ${low:,.2f} to ${high:,.2f}"


def _duration(minutes: float) -> str:
    if minutes < 1.5:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
