"""Before anything is sent: its price, whether the budget can be enforced, and a person's consent."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

from jobs.errors import UsageProblem
from jobs.store.store import Store
from jobs.views import BatchView
from jobs.workload import Workload
from runner.humanize import count_of
from runner.limits.brake import Brake, Reach
from runner.limits.health import Health
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.planning.preview import preview
from runner.planning.selection import SelectedJobs
from runner.providers.base import Priced, Provider


async def prices_now(
    provider: Provider,
    store: Store,
    batch: BatchView,
    health: Health,
    brake: Brake,
    models: Collection[str],
    fallback: Mapping[str, Decimal] | None = None,
) -> dict[str, Decimal]:
    """USD an image by model, as the API reports now; stored for the next run. Waits out an outage first.

    For a model without a reported price, the last known price applies, else that in `fallback`, which is not
    stored.
    """
    prices = dict(batch.prices)
    with brake.guarding(Reach.POLLS):
        await health.ready()
        for model in models:
            verdict = await provider.price(model)
            if isinstance(verdict, Priced) and verdict.price_usd is not None:
                prices[model] = verdict.price_usd
    await store.batches.note_prices(batch.id, prices)
    return {**(fallback or {}), **prices}


async def committed(store: Store, batch_id: int) -> tuple[Decimal, int]:
    """USD that are or may be spent, and the number of submits beside them whose price nobody knows."""
    account, in_doubt = await store.ledger.account(batch_id), await store.ledger.unconfirmed_usd(batch_id)
    return account.spent_usd + in_doubt, (await store.ledger.unpriced(batch_id)).jobs


def check_budget(
    budget: Decimal | None, queued: Workload, unpriced: Workload, prices: Mapping[str, Decimal]
) -> None:
    """Check that the budget can be enforced: without a price for every submit it would be no limit.

    `unpriced` are the submits of before whose price is unknown.

    Raises:
        UsageProblem: there is a budget, and the price of one of the models is unknown.
    """
    unknown = sorted({model for model in (*queued, *unpriced) if model not in prices})
    if budget is None or not unknown:
        return
    sent = sum(amount.jobs for model, amount in unpriced.items() if model not in prices)
    before = f" {count_of(sent, 'submit')} of before may be paid for at a price nobody knows." if sent else ""
    raise UsageProblem(
        f"A budget needs prices, and the API has none for {', '.join(unknown)}.{before} Nothing was sent.",
        hint="Write what a picture costs under [prices] in nightsheet.toml, or leave --budget out.",
    )


async def agree(
    store: Store,
    batch: BatchView,
    consent: Consent,
    prices: Mapping[str, Decimal],
    notice: Callable[[str], None] = lambda _text: None,
    selected: SelectedJobs | None = None,
) -> None:
    """Show the plan, ask for consent to the jobs that have none yet, and record it for later runs.

    With `selected`, only for these jobs: the rest stays queued and needs consent when it is sent.

    Raises:
        UsageProblem: nobody consented, or nobody can be asked.
    """
    new = await store.preview.unagreed(batch.id) if selected is None else selected.new
    if not new:
        if selected is not None:
            await store.batches.agree(batch.id, selected.ids)
        return
    await preview(store, batch, new, prices, notice, asked=consent is not agreed_to_all)
    low, high = new.price_range(prices)
    if not await consent(Ask(batch.name, new.jobs, new.images, new.jobs, low, high)):
        raise UsageProblem(
            "Not agreed to: nothing was sent.", hint="The sheet is loaded; run it again to go on."
        )
    await store.batches.agree(batch.id, None if selected is None else selected.ids)
