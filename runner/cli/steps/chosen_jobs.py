"""What `retry`, `review` and `cancel` share: finding the jobs that are named, and changing many of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.errors import UsageProblem
from jobs.suggestions import did_you_mean, similar
from runner.humanize import count_of

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

_AT_ONCE = 100
_NEAR = 3
_ONE_BY_ONE = 10
NOT_IN_SHEET = "its row is no longer in the sheet"


@dataclass(frozen=True, slots=True)
class Left:
    """A job that nothing was done about, and why."""

    key: str
    state: str
    why: str


def left_alone(what: str, left: Sequence[Left], *, whole: bool) -> Iterator[str]:
    """`Not retried: fox: it is succeeded`, a line a job; beyond ten, a line for each state and reason."""
    if whole or len(left) <= _ONE_BY_ONE:
        yield from (f"{what}: {one.key}: {one.why}" for one in left)
        return
    for (state, why), number in Counter((one.state, one.why) for one in left).items():
        yield f"{what}: {count_of(number, f'{state} job')}: {why}"


async def named(store: "Store", batch: "BatchView", keys: Sequence[str]) -> list["JobView"]:
    """The jobs of these keys, each once, in the order given.

    Raises:
        UsageProblem: the batch has no such key; with those that were probably meant.
    """
    found = {key: await store.jobs.by_key(batch.id, key) for key in keys}
    unknown = [key for key, job in found.items() if job is None]
    if unknown:
        raise await _unknown(store, batch, unknown)
    return [job for job in found.values() if job is not None]


async def _unknown(store: "Store", batch: "BatchView", unknown: Sequence[str]) -> UsageProblem:
    keys = [job.key async for job in store.jobs.each(batch.id, everything=True)]
    near = [meant for key in unknown for meant in similar(key, keys, count=_NEAR)]
    told = ", ".join(map(repr, unknown))
    sentence = f"The batch {batch.name!r} has no job {told}. Nothing was changed."
    hint = did_you_mean(", ".join(dict.fromkeys(near)), "`nightsheet jobs` lists the keys.")
    return UsageProblem(sentence, hint)


async def apply_each(store: "Store", outcomes: Sequence["Outcome"]) -> list[bool]:
    """Apply outcomes one by one, a hundred side by side so that they share commits; which were possible."""
    import anyio

    done = [False] * len(outcomes)

    async def one(number: int) -> None:
        done[number] = await store.jobs.apply(outcomes[number])

    for first in range(0, len(outcomes), _AT_ONCE):
        async with anyio.create_task_group() as tasks:
            for number in range(first, min(first + _AT_ONCE, len(outcomes))):
                tasks.start_soon(one, number)
    return done


def price_to_send(batch: "BatchView", jobs: Sequence["JobView"]) -> tuple[Decimal | None, Decimal | None]:
    """USD low and high for sending these jobs, at the prices that the API told last."""
    from runner.planning.consent import price_of

    work: dict[str, tuple[int, int]] = {}
    for job in jobs:
        number, pictures = work.get(job.model, (0, 0))
        work[job.model] = (number + 1, pictures + job.pictures)
    return price_of(work, batch.prices)
