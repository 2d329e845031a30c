"""Held rows: what they say was paid for before. They are told, and sent only where a person says so."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from jobs.errors import UsageProblem
from jobs.paid import PaidBefore, PaidElsewhere
from jobs.store.store import Store
from jobs.views import BatchView
from runner.humanize import count_of
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.settings import Settings

HINT = (
    "--again pays for them again; --dedupe takes the earlier results, free; a column `again` makes such rows "
    "new ones."
)


async def hold(
    store: Store, batch: BatchView, elsewhere: PaidElsewhere, notice: Callable[[str], None]
) -> None:
    """Hold what was paid for before. With `dedupe` rows take the earlier results, as far as there are any."""
    failed = await store.held.hold(batch.id, elsewhere)
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
            f"{_some(shared, shared)} paid for before under another batch: they get the same pictures, free."
        )
    if fetched:
        notice(f"{_some(fetched, fetched)} paid for in another database: their pictures are fetched, free.")


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


def told(places: Sequence[PaidBefore], total: int, now: datetime) -> list[str]:
    """Where and when rows were paid for, a sentence a batch."""
    return [
        f"{_some(place.rows, total)} paid for {when(place, now)} under {where(place)}." for place in places
    ]


def where(place: PaidBefore) -> str:
    """The batch, and its database where that is another one."""
    return f"batch {place.batch}" + (f" ({place.database})" if place.database else "")


def when(place: PaidBefore, now: datetime) -> str:
    """`on 28 November`, by the local calendar, with the year where it is not this one."""
    days = [_day(at, now) for at in (place.first_at, place.last_at)]
    return f"on {days[0]}" if days[0] == days[1] else f"from {days[0]} to {days[1]}"


def _day(at: datetime, now: datetime) -> str:
    day = at.astimezone()
    year = "" if day.year == now.astimezone().year else f" {day.year}"
    return f"{day.day} {day:%B}{year}"


def _some(rows: int, total: int) -> str:
    were = "was" if rows == 1 else "were"
    return f"{count_of(rows, 'row')} {were}" if rows == total else f"{rows:,} of these {total:,} rows {were}"
