"""The money of a submit: reserved before it is sent, within the run's budget."""

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE, NotAdmitted
from jobs.pauses import PauseReason
from jobs.views import QueuedJob
from runner.limits.brake import Reach
from runner.limits.budget import Reservation
from runner.workers.context import Context

_PRICE_IT = (
    "No budget has room for a price that nobody knows: write what a picture costs under [prices] in "
    "nightsheet.toml"
)
_OR_UNLIMITED = ", or take the limit away: `nightsheet account set --budget none`"


def reserve_now(run: Context, job: QueuedJob) -> Reservation | None:
    """The most that the job may cost, reserved; None where the budget has no room for it now."""
    return run.limits.budget.reserve(run.limits.budget.estimate(job.model, job.pictures))


async def reserve(run: Context, job: QueuedJob) -> Reservation | None:
    """Reserve the most that the job may cost. None where the budget has no room: the batch pauses.

    A job at the API may turn out cheaper than its estimate, so the reservation waits as long as there is one.
    """
    while (money := reserve_now(run, job)) is None:
        with run.limits.brake.guarding(Reach.SUBMITS) as waiting:
            if not await run.queue.jobs.others_end(job.id):
                run.limits.brake.pause(PauseReason.BUDGET, _over_budget(run, job))
        if waiting.cancelled_caught or run.limits.brake.stops(Reach.SUBMITS):
            return None
    return money


def no_room(job: QueuedJob, refused: NotAdmitted) -> str:
    """What a person is told where a budget in the table has no room for a job."""
    of_account = ACCOUNT_BUDGET in refused.detail
    how = ""
    if NO_KNOWN_PRICE in refused.detail:
        how = f" {_PRICE_IT}{_OR_UNLIMITED if of_account else ''}."
    elif of_account:
        how = " `nightsheet account set --budget USD` raises it."
    return f"There is no room for job {job.key!r} in {refused.detail}.{how}"


def _over_budget(run: Context, job: QueuedJob) -> str:
    estimate = run.limits.budget.estimate(job.model, job.pictures)
    price = "whose price is unknown" if estimate is None else f"which may cost {estimate:.2f} USD"
    return (
        f"The budget of {run.limits.budget.limit} USD has no room for job {job.key!r}, {price}: "
        f"{run.limits.budget}."
    )
