"""Give failed jobs another chance where that is free: what the API holds is polled and fetched again."""

from jobs.failures import FailureKind
from runner.deciding.retry import carry_out, without_payment
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.acts.jobs_named import names_in
from runner.page.panels.failures import plan_unasked


async def _fetch(asked: Asked) -> Answer | NoAct:
    """Of these jobs, or of these kinds of failures. What would be paid for again is left out, and told."""
    told, page = asked.told, asked.page
    kinds: list[FailureKind] = []
    keys: list[str] | NoAct = []
    if "kinds" in told:
        names = told["kinds"]
        if not isinstance(names, list) or not names or not all(name in [*FailureKind] for name in names):
            return NoAct(f"A kind of failure is one of {', '.join(FailureKind)}.")
        kinds = [FailureKind(name) for name in names]
    else:
        keys = names_in(told.get("keys"))
    if isinstance(keys, NoAct):
        return keys
    plan = without_payment(await plan_unasked(page.store, asked.batch, keys, kinds), asked.batch)
    done = await carry_out(plan, page.store, page.clock)
    return {
        "fetched": [job.key for job in (*done.free, *done.linked)],
        "not_changed": [{"key": one.key, "why": one.reason} for one in done.not_retried],
    }


FETCH = Act(_fetch)
