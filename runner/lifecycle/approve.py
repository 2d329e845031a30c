"""Decides whether a run may pay: prices, budget and a person's consent. No job is submitted here."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from jobs.store.store import Store
from jobs.views import BatchView
from runner.events.progress import ProgressCounter
from runner.humanize import count_of
from runner.lifecycle.order import Order, Scope
from runner.lifecycle.signals import obeying_signals
from runner.limits.brake import Brake, Reach
from runner.limits.health import Health
from runner.planning.approval import agree, check_budget, committed, prices_now
from runner.planning.consent import agreed_to_all
from runner.planning.resubmits import resubmit_allowed, resubmits_left, with_resubmits
from runner.providers.base import Provider
from runner.workers.tuning import Tuning, tuning_for


@dataclass(frozen=True, slots=True)
class Approval:
    """What a run may do, and the ledger's totals at its start. Money is in USD."""

    batch: BatchView
    tuning: Tuning
    prices: Mapping[str, Decimal]
    """USD an image, by model."""
    committed_usd: Decimal
    """Money that is or may be spent already: costs, and estimates where the API reported no cost."""
    unpriced: int
    """Submits beside these whose price nobody knows."""
    resubmits_left: int
    """How many more unconfirmed submits `--resubmit-unconfirmed` allows to be repeated."""


async def approve(
    order: Order, provider: Provider, brake: Brake, health: Health, scope: Scope, progress: ProgressCounter
) -> Approval:
    """Ask the API for prices and a person for consent, if there is anything to submit; record the consent.

    An outage is waited out first, and `progress` shown meanwhile. If it outlasts the limit, the brake is
    pulled and nobody is asked.

    Raises:
        UsageProblem: nobody consented, or there is a budget and a model's price is unknown.
    """
    store, settings = order.store, order.settings
    batch, tuning = await _tuned(order)
    work = with_resubmits(scope.queued, scope.unconfirmed)
    unpriced = await store.ledger.unpriced(batch.id)
    prices: Mapping[str, Decimal] = {**settings.prices, **batch.prices}
    if work:
        models = {**unpriced, **work}
        clock, notice = order.environment.clock, order.observer.notice
        async with obeying_signals(brake, clock, notice, order.say_last_words, progress.each_second):
            prices = await prices_now(provider, store, batch, health, brake, models, fallback=settings.prices)
    if unpriced:
        await store.ledger.reckon(batch.id, {model: prices[model] for model in unpriced if model in prices})
    await _reckon_beside(store, batch.id, prices)
    if not work or brake.reach is not Reach.NOTHING:
        await _agree_unasked(order, scope, nothing_to_send=not work)
    else:
        check_budget(tuning.budget, work, unpriced, prices)
        await _ask(order, batch, scope, prices)
    if scope.unconfirmed and brake.reach is Reach.NOTHING:
        now = order.environment.clock.now()
        resubmits = await resubmit_allowed(store, batch, settings, scope.unconfirmed, now)
    else:
        resubmits = await resubmits_left(store, batch, settings)
    return Approval(batch, tuning, prices, *await committed(store, batch.id), resubmits)


async def _reckon_beside(store: Store, batch_id: int, prices: Mapping[str, Decimal]) -> None:
    """Reckon what other batches of the account sent without a price: it would hold up the account's budget.

    From the prices that they kept themselves, else from these: nobody may ever run them again.
    """
    for other in await store.ledger.unpriced_beside(batch_id):
        known = {**prices, **(await store.batches.get(other)).prices}
        unpriced = await store.ledger.unpriced(other)
        await store.ledger.reckon(other, {model: known[model] for model in unpriced if model in known})


async def _tuned(order: Order) -> tuple[BatchView, Tuning]:
    """The batch and its tuning. A budget given on the command line is stored, and outlives its run."""
    batch = order.batch
    tuning = tuning_for(order.settings, batch)
    if order.settings.on_command_line("budget") and tuning.budget != batch.budget:
        await order.store.batches.tune(batch.id, {"budget": tuning.budget})
        batch = await order.store.batches.get(batch.id)
    return batch, tuning


async def _ask(
    order: Order,
    batch: BatchView,
    scope: Scope,
    prices: Mapping[str, Decimal],
) -> None:
    if scope.unconfirmed:
        order.observer.notice(
            f"Sent again, as --resubmit-unconfirmed allows: {count_of(len(scope.unconfirmed), 'submit')} "
            "without an answer, perhaps paid twice."
        )
    await agree(order.store, batch, order.consent, prices, order.observer.notice, scope.selected)


async def _agree_unasked(order: Order, scope: Scope, *, nothing_to_send: bool) -> None:
    """Record consent that was given in advance although nothing can be sent now: resuming asks nothing."""
    only = None if scope.selected is None else scope.selected.ids
    if nothing_to_send:
        if only is not None:
            await order.store.batches.agree(order.batch.id, only)
    elif order.consent is agreed_to_all:
        await order.store.batches.agree(order.batch.id, only)
