"""Held rows: what they say was paid for before. They are told, and sent only where a person says so."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from jobs.errors import UsageProblem
from jobs.paid import PaidElsewhere
from jobs.store.store import Store
from jobs.views import BatchView
from runner.humanize import count_of
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.planning.paid_words import HINT, some, told
from runner.settings import Settings


async def hold(
    store: Store,
    batch: BatchView,
    elsewhere: PaidElsewhere,
    looked_at: datetime,
    notice: Callable[[str], None],
) -> None:
    """Hold what was paid for before. With `dedupe` rows take the earlier results, as far as there are any."""
    failed = await store.held.hold(batch.id, elsewhere, looked_at)
    if failed:
        notice(
            f"{count_of(failed, 'row')} failed at the API under another batch: sent again, they cost again."
        )
    if not batch.dedupe or not await store.held.count(batch.id):
        return
    shared, fetched = await store.held.take_earlier(batch.id, elsewhere)
    await store.links.settle(batch.id)
    if shared:
        notice(
            f"{some(shared, shared)} paid for before under another batch: they get the same pictures, free."
        )
    if fetched:
        notice(f"{some(fetched, fetched)} paid for in another database: their pictures are fetched, free.")


async def release(
    store: Store,
    batch: BatchView,
    settings: Settings,
    consent: Consent,
    notice: Callable[[str], None],
    now: datetime,
) -> int:
    """Tell of the held rows, and release them if somebody says so; return how many stay held.

    `--yes` does not: it agrees to a price, not to paying twice.
    """
    places = await store.held.places(batch.id)
    if not places:
        return 0
    total = sum((await store.jobs.counts(batch.id)).values())
    for sentence in told(places, total, now):
        notice(sentence)
    if settings.emulator or settings.again or await _agreed(store, batch, settings.prices, consent):
        await store.held.release(batch.id)
        return 0
    return sum(place.rows for place in places)


async def _agreed(store: Store, batch: BatchView, fallback: Mapping[str, Decimal], consent: Consent) -> bool:
    if consent is agreed_to_all:
        return False
    work = await store.held.work(batch.id)
    low, high = work.price_range({**fallback, **batch.prices})
    return await consent(Ask(batch.name, work.jobs, work.images, work.jobs, low, high, again=True))


def nothing_else(held: int) -> UsageProblem:
    """The end of a run that has nothing to send but held rows."""
    were = "1 row was" if held == 1 else f"{held:,} rows were"
    return UsageProblem(f"{were} paid for before, and nothing else is left: nothing was sent.", hint=HINT)
