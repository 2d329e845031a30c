"""The money of a batch: told by the API, estimated, in doubt, and paid without a result here."""

from typing import TYPE_CHECKING, Any

from jobs.ledger import balance
from jobs.manifests.record import dollars
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView

MOST_SHOWN = 50
"""Submits that are not in hand; `audit` lists all."""


async def account(page: Page, batch: "BatchView") -> dict[str, Any]:
    """The sums, and the end of `audit`."""
    _counts, spent = await page.store.jobs.counts_and_account(batch.id)
    audit = balance(await page.store.ledger.attempts(batch.id))
    missing = [
        {
            "key": one.attempt.key,
            "request_id": one.attempt.request_id,
            "usd": dollars(one.usd),
            "why": one.why,
        }
        for one in audit.not_in_hand[:MOST_SHOWN]
    ]
    return {
        "told_usd": float(spent.reported_usd),
        "estimated_usd": float(spent.estimated_usd),
        "in_doubt_usd": float(await page.store.ledger.unconfirmed_usd(batch.id)),
        "budget_usd": None if batch.budget is None else float(batch.budget),
        "models": [
            {
                "model": one.model,
                "submits": one.submits,
                "images": one.images,
                "told_usd": float(one.reported_usd),
                "estimated_usd": float(one.estimated_usd),
                "in_doubt_usd": float(one.in_doubt_usd),
                "price_usd": dollars(batch.prices.get(one.model)),
            }
            for one in await page.store.ledger.by_model(batch.id)
        ],
        "submits": audit.submits,
        "turned_away": audit.turned_away,
        "not_in_hand_usd": float(audit.not_in_hand_usd),
        "not_in_hand": missing,
        "not_in_hand_count": len(audit.not_in_hand),
        "balanced": audit.balanced,
        "command": page.command("audit", batch.name),
    }
