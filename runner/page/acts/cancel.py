"""Cancel jobs: those not sent at once; for those at the API a run asks, as the page cannot."""

from runner.deciding.cancel import request_cancel
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.acts.jobs_named import names_in


async def _cancel(asked: Asked) -> Answer | NoAct:
    """`all` has to be said: a request that lost its list cancels nothing."""
    keys = (
        None
        if asked.told.get("all") is True and "keys" not in asked.told
        else names_in(asked.told.get("keys"))
    )
    if isinstance(keys, NoAct):
        return keys
    result, wished = await request_cancel(asked.page.store, asked.batch, keys)
    return {
        "cancelled": result.queued,
        "asked": wished,
        "not_changed": [{"key": one.key, "why": one.reason} for one in result.not_changed],
    }


CANCEL = Act(_cancel)
