"""Before anything is sent: what it costs, whether the budget can hold it, and whether a person agrees."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from jobs.errors import UsageProblem
from jobs.outcomes import Resubmitted
from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import BatchView, JobView
from runner.limits.brake import Brake, Reach
from runner.limits.health import Health
from runner.planning.consent import Ask, Consent, agreed_to_all, price_of
from runner.planning.preview import foretell
from runner.planning.selection import SelectedJobs
from runner.providers.base import Priced, Provider
from runner.settings import Settings

Work = Mapping[str, tuple[int, int]]
"""By model: how many jobs, and how many pictures they ask for at most."""


async def prices_now(
    provider: Provider,
    store: Store,
    batch: BatchView,
    health: Health,
    brake: Brake,
    queued: Work,
    fallback: Mapping[str, Decimal] | None = None,
) -> dict[str, Decimal]:
    """What a picture costs in USD, by model, as the API says now; an outage is ridden out first.

    What it does not say stays as it was last known, or else as `fallback` has it, which is not remembered.
    """
    prices = dict(batch.prices)
    with brake.guarding(Reach.POLLS):
        await health.ready()
        for model in queued:
            verdict = await provider.price(model)
            if isinstance(verdict, Priced) and verdict.price_usd is not None:
                prices[model] = verdict.price_usd
    await store.batches.note_prices(batch.id, prices)
    return {**(fallback or {}), **prices}


def check_budget(budget: Decimal | None, queued: Work, prices: Mapping[str, Decimal]) -> None:
    """A limit that nothing can be held against is none.

    Raises:
        UsageProblem: the API tells no price for one of the models.
    """
    unknown = [model for model in queued if model not in prices]
    if budget is not None and unknown:
        raise UsageProblem(
            f"A budget needs prices, and the API tells none for {', '.join(unknown)}. Nothing was sent.",
            hint="Write what a picture costs under [prices] in nightsheet.toml, or leave --budget out.",
        )


async def agree(
    store: Store,
    batch: BatchView,
    consent: Consent,
    prices: Mapping[str, Decimal],
    notice: Callable[[str], None] = lambda _text: None,
    chosen: SelectedJobs | None = None,
) -> None:
    """Show the plan, have a person agree to what is new, and record it: going on later asks nothing.

    Of a batch in parts, to what is `chosen`: the rest stays queued, and has to be agreed to when it is sent.

    Raises:
        UsageProblem: nobody agreed, or nobody can be asked.
    """
    new = await store.preview.unagreed(batch.id) if chosen is None else chosen.new
    if not new:
        if chosen is not None:
            await store.batches.agree(batch.id, chosen.ids)
        return
    await foretell(store, batch, new, prices, notice, asked=consent is not agreed_to_all)
    low, high = price_of(new, prices)
    jobs = sum(many for many, _pictures in new.values())
    pictures = sum(pictures for _many, pictures in new.values())
    if not await consent(Ask(batch.name, jobs, pictures, jobs, low, high)):
        raise UsageProblem(
            "Not agreed to: nothing was sent.", hint="The sheet is loaded; run it again to go on."
        )
    await store.batches.agree(batch.id, None if chosen is None else chosen.ids)


async def repeats_left(store: Store, batch: BatchView, settings: Settings) -> int:
    """How many doubtful submits `--resubmit-unconfirmed` still has sent again; it counts over all runs."""
    return max(0, settings.resubmit_unconfirmed - await store.ledger.automatic_resubmits(batch.id))


async def to_be_repeated(store: Store, batch: BatchView, settings: Settings) -> list[JobView]:
    """The unconfirmed jobs that a run sends again, as far as `--resubmit-unconfirmed` allows."""
    left = await repeats_left(store, batch, settings)
    found = await store.jobs.in_state(batch.id, [JobState.UNCONFIRMED]) if left else []
    return [job for job in found if job.current][:left]


def with_repeats(queued: Work, doubts: Sequence[JobView]) -> Work:
    """What a run is to send, with what it sends again."""
    work = dict(queued)
    for job in doubts:
        jobs, pictures = work.get(job.model, (0, 0))
        work[job.model] = jobs + 1, pictures + job.pictures
    return work


async def resubmit_what_is_allowed(store: Store, batch: BatchView, settings: Settings, now: datetime) -> int:
    """Queue unconfirmed jobs again as far as `--resubmit-unconfirmed` allows; returns how many it still does.

    Only when all else is agreed to: what is queued again is out of `review`, and sent by whoever runs next.
    """
    for job in await to_be_repeated(store, batch, settings):
        await store.jobs.apply(Resubmitted(job.id, now, automatic=True))
    return await repeats_left(store, batch, settings)
