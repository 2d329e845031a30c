"""The guards of a run: their limits, what the table tells them, and what they say."""

from dataclasses import replace

from jobs.pauses import PauseReason
from jobs.track_record import TrackRecord
from runner.lifecycle.order import Order, Scope
from runner.limits.budget import Budget
from runner.limits.guards import GuardLimits, Guards
from runner.planning.approval import committed
from runner.settings import Settings


def limits_of(settings: Settings) -> GuardLimits:
    """The limits that the settings describe."""
    return GuardLimits(
        failures_in_a_row=settings.guard_failures,
        window=settings.guard_window,
        window_percent=settings.guard_window_percent,
        unconfirmed=settings.guard_unconfirmed,
        unconfirmed_percent=settings.guard_unconfirmed_percent,
        canary=settings.canary,
        canary_above=settings.canary_above,
    )


async def track_record(order: Order) -> TrackRecord:
    """What the guards have to know of earlier runs."""
    remembered = limits_of(order.settings).remembered
    return await order.store.track_records.of(order.batch.id, ended=remembered)


async def under_guards(order: Order, scope: Scope) -> Order:
    """The order; its batch is paused if the guards would not let this work begin.

    An earlier run may have died before it wrote its pause down, or left more in doubt by dying; and canaries
    that came to nothing may have been all there was.
    """
    troubles: list[str] = []
    guards = Guards(limits_of(order.settings), troubles.append, scope.record)
    guards.check()
    for model in (*scope.queued, *(job.model for job in scope.unconfirmed)):
        guards.admits(model, 0)
    if not troubles:
        return order
    batches, batch_id = order.store.batches, order.batch.id
    usd, unpriced = await committed(order.store, batch_id)
    cost = Budget(None, usd, {}, unpriced)
    await batches.pause(batch_id, PauseReason.GUARD, pause_detail(order, troubles[0], cost))
    return replace(order, batch=await batches.get(batch_id))


def pause_detail(order: Order, what: str, cost: Budget) -> str:
    """What happened, what the batch has cost so far, and how to go on."""
    return f"{what} {cost}. To go on: `{order.resume_command}`."
