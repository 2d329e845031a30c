"""Fewer at once, fewer a minute, a smaller budget. What loosens one of them is a line to type."""

from runner.deciding.tuning import lower
from runner.page.acts.act import Act, Answer, Asked, NoAct

_NAMES = ("concurrency", "rate", "budget")
_LONGEST = 40


async def _tune(asked: Asked) -> Answer | NoAct:
    options = {name: str(value) for name, value in asked.told.items() if name != "action"}
    if (
        not options
        or not set(options) <= set(_NAMES)
        or any(len(text) > _LONGEST for text in options.values())
    ):
        return NoAct(f"What can be lowered is {', '.join(_NAMES)}.")
    await lower(asked.page.store, asked.batch, options, asked.page.usual)
    now = await asked.page.store.batches.get(asked.batch.id)
    budget = None if now.budget is None else float(now.budget)
    return {"concurrency": now.concurrency, "rate": now.rate, "budget": budget}


TUNE = Act(_tune)
