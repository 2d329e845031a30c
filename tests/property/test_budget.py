"""A budget is not crossed by what is in flight: prices, costs, answers and interruptions as they come."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.failures import Failure, FailureKind
from jobs.states import JobState
from runner.limits.guards import GuardLimits
from runner.providers.base import (
    Denied,
    RemoteStatus,
    RemoteStatusReport,
    ResultReady,
    ResultVerdict,
    RunFailed,
    SubmitVerdict,
    Taken,
    TurnedAway,
    Unconfirmed,
)
from runner.recovery.recover import Recovered, recover
from runner.workers.pool import start
from tests.support.scripted import DONE, PRICE, URL, Call
from tests.support.tables import ORIGIN, SHEET, planned
from tests.support.virtual_time import run_virtual
from tests.support.world import World, world

NO_GUARDS = GuardLimits(failures_in_a_row=0, unconfirmed=0, canary=0)
REFUSED = Denied(Failure(FailureKind.REFUSED, "no"))
FAILED = RemoteStatusReport(RemoteStatus.FAILED, "failed", failure=Failure(FailureKind.REMOTE_FAILED, "no"))


@dataclass
class Night:
    """What happens, and an account of it that shares nothing with the runner's.

    `jobs` are pictures asked for; `answers` what becomes of each submit; `costs` per cent of what was set
    aside, None where the API tells nothing. `stops` are the seconds after which a run is interrupted.
    """

    jobs: Sequence[int]
    answers: Sequence[str]
    costs: Sequence[int | None]
    stops: Sequence[float]
    limit: Decimal
    held: dict[str, Decimal] = field(default_factory=dict)
    """By request: the most it may cost, until a lower cost is told."""
    told: dict[str, Decimal] = field(default_factory=dict)

    @property
    def committed(self) -> Decimal:
        """What is paid or may be, as far as it was set aside: a cost above that is nobody's to foresee."""
        return sum(self.held.values(), Decimal(0))

    def estimate(self, call: Call) -> Decimal:
        """The most that a submit may cost; its prompt is the number of its job."""
        return PRICE * self.jobs[int(call.payload.split(b'"prompt":"')[1].split(b'"')[0])]

    def submit(self, call: Call) -> SubmitVerdict:
        """An answer; what may be paid is added up before it leaves, and never above the limit."""
        number = len(self.held)
        estimate = self.estimate(call)
        assert self.committed + estimate <= self.limit
        answer = self.answers[number % len(self.answers)]
        name = f"req-{number}-{answer}"
        if answer in {"taken", "failed"}:
            self.held[name] = estimate
            return Taken(name)
        if answer == "doubt":
            self.held[name] = estimate
            return Unconfirmed("silence")
        self.held[name] = Decimal(0)
        return REFUSED if answer == "refused" else TurnedAway("busy", 1.0, busy=True)

    def status(self, call: Call) -> RemoteStatusReport:
        """Done, or failed and perhaps billed."""
        return FAILED if call.about.endswith("failed") else DONE

    def result(self, call: Call) -> ResultVerdict:
        """With a cost that is lower or higher than what was set aside, or with none."""
        cost = self.told.get(call.about)
        part = self.costs[len(self.told) % len(self.costs)]
        if cost is None and part is not None:
            cost = self.told[call.about] = self.held[call.about] * part / 100
            self.held[call.about] = min(self.held[call.about], cost)
        return RunFailed(None, cost) if call.about.endswith("failed") else ResultReady((URL,), cost)


async def one_run(w: World, night: Night, seconds: float) -> None:
    """A run over what is there, that is cut off after `seconds`; with the money that the table knows of."""
    w.provider.says("submit", night.submit)
    w.provider.says("status", night.status)
    w.provider.says("result", night.result)
    found: Recovered = await recover(w.store, w.run.batch, w.places, w.clock.now())
    account, doubtful = (
        await w.store.ledger.account(w.run.batch.id),
        await w.store.ledger.unconfirmed_usd(w.run.batch.id),
    )
    w.run.limits.budget.committed = account.spent_usd + doubtful
    defects: list[str] = []

    def defect(key: str, error: BaseException) -> None:
        defects.append(f"{key}: {error!r}")

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            start(tasks, w.run, w.ready, found, downloads=2, defect=defect)
    assert defects == []


async def whole_night(folder: Path, night: Night, *, of_account: bool) -> None:
    """Runs over one table, the last one to its end. The limit is the run's own, or its account's."""
    sheet = [
        planned(f"k{number}", number, prompt=str(number), pictures=pictures)
        for number, pictures in enumerate(night.jobs)
    ]
    for seconds in (*night.stops, 100_000.0):
        budget = None if of_account else night.limit
        async with world(folder, budget=budget, guard_limits=NO_GUARDS, max_attempts=2) as w:
            if of_account:
                await w.store.accounts.set_limits("", {"budget": night.limit})
            await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=sheet)
            await w.store.batches.agree(w.run.batch.id)
            await one_run(w, night, seconds)
            states = await w.states()
            account = await w.store.ledger.account(w.run.batch.id)
            doubtful = await w.store.ledger.unconfirmed_usd(w.run.batch.id)
    assert night.committed <= night.limit
    over = sum((max(Decimal(0), cost - night.held[name]) for name, cost in night.told.items()), Decimal(0))
    assert account.spent_usd <= night.limit + over
    if JobState.QUEUED in states.values():  # only for want of money
        assert w.stops
        assert account.spent_usd + doubtful + PRICE * max(night.jobs) > night.limit


ANSWERS = st.sampled_from(["taken", "taken", "taken", "failed", "refused", "busy", "doubt"])


@pytest.mark.parametrize("of_account", [False, True])
@settings(max_examples=20, deadline=None)
@given(
    jobs=st.lists(st.integers(1, 15), min_size=1, max_size=8),
    answers=st.lists(ANSWERS, min_size=1, max_size=6).filter(lambda answers: "taken" in answers),
    costs=st.lists(st.none() | st.integers(0, 250), min_size=1, max_size=4),
    stops=st.lists(st.floats(0.05, 20), max_size=2),
    cents=st.integers(0, 300),
)
def test_what_is_in_flight_does_not_cross_the_budget(
    jobs: list[int],
    answers: list[str],
    costs: list[int | None],
    stops: list[float],
    cents: int,
    of_account: bool,
) -> None:
    """Over retries and resumes; costs that turn out lower make room, those that turn out higher take it."""
    night = Night(jobs, answers, costs, stops, Decimal(cents) / 100)
    with tempfile.TemporaryDirectory() as folder:
        run_virtual(lambda: whole_night(Path(folder), night, of_account=of_account))
