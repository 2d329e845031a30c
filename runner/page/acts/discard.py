"""Let go of submits without an answer: free, though what was perhaps paid for is then lost."""

from runner.deciding.review import Decisions, discard
from runner.deciding.reviewable import unconfirmed_jobs
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.acts.jobs_named import names_in


async def _discard(asked: Asked) -> Answer | NoAct:
    """What the journal knows is put back first: a receipt in it settles a doubt by itself."""
    names = names_in(asked.told.get("keys"))
    if isinstance(names, NoAct):
        return names
    page = asked.page
    await page.settle(asked.batch)
    unconfirmed = await unconfirmed_jobs(page.store, asked.batch)
    decisions = Decisions(unconfirmed, discard=[unconfirmed.one(name) for name in names])
    result = await discard(decisions, page.store, page.clock)
    return {
        "discarded": [unconfirmed.name(job) for job in result.discarded],
        "not_changed": [{"key": one.key, "why": one.reason} for one in result.not_changed],
    }


DISCARD = Act(_discard)
