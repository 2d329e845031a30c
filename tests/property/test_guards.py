"""The guards as an economy: however jobs fail, and however often runs start again, what burns has a bound.

The guards and the store are the real ones; the API is a source of outcomes. "Burnt" is a submit that was or
may have been accepted, and whose job has no images. `docs/reliability.md` states the bound.
"""

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Fetched,
    FetchFailed,
    LeftUnconfirmed,
    Outcome,
    Refused,
    RemoteDone,
    RemoteFailed,
    Requeued,
)
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import FRONT, QueuedJob
from runner.limits.guards import GuardLimits, Guards
from tests.support.tables import MODEL, Table, claimed, opened_table, planned, select

F = FailureKind
OTHER = "bytedance/seedream-4-5/sequential"
SUCCESS, DOUBT = "success", "doubt"
End = FailureKind | str
"""How a job ends: as a failure, as SUCCESS, or its submit as DOUBT."""
FETCHED_BY_NOW = {F.NO_IMAGES, F.BAD_PICTURE, F.BLOCKED, F.EXPIRED}

LIMITS = GuardLimits()
GATE = 4
CONCURRENCY = 8
ROWS = 160
DOUBTS_ALLOWED = 20
"""The higher of 20 and 2 % of the rows."""


@dataclass
class Economy:
    """A batch, runs over it one after another, and what comes of each job."""

    table: Table
    dice: random.Random
    ends: Callable[[], End]
    limits: GuardLimits = LIMITS
    estimate: Decimal | None = Decimal("0.12")
    max_attempts: int = 1
    failed_runs: Counter[int] = field(default_factory=Counter)
    """By job."""
    tripped: list[str] = field(default_factory=list)
    flying: dict[int, tuple[str, End]] = field(default_factory=dict)
    """Jobs at the API, each with its model and what is to come of it."""
    guards: Guards = field(init=False)

    async def start(self) -> None:
        """A run begins: what the guards know is in the table."""
        self.tripped = []
        self.guards = await self.fresh(self.tripped.append)
        self.guards.check()

    async def fresh(self, trip: Callable[[str], None]) -> Guards:
        """Guards that have just begun."""
        record = await self.table.store.track_records.of(self.table.batch.id, ended=self.limits.remembered)
        return Guards(self.limits, trip, record)

    async def paused(self) -> bool:
        """Whether a run would send nothing."""
        return (await self.table.store.batches.get(self.table.batch.id)).paused is not None

    async def queued(self) -> QueuedJob | None:
        """The job that is next."""
        found = await self.table.store.jobs.queued(self.table.batch.id, after=FRONT, limit=1)
        return found[0] if found else None

    async def send(self, job: QueuedJob, end: End) -> None:
        """Submit a job; it is answered, or it is not."""
        assert await self.table.store.jobs.claim(claimed(job.id, self.now, self.estimate))
        if end == DOUBT:
            failure = Failure(F.UNCONFIRMED, "no answer")
            await self.apply(LeftUnconfirmed(job.id, failure, self.now))
            self.guards.unconfirmed(job.model)
        elif end == F.REFUSED:
            await self.apply(Refused(job.id, Failure(F.REFUSED, "no"), self.now))
            self.guards.failed(job.model, F.REFUSED, at_submit=True)
        else:
            await self.apply(Accepted(job.id, f"req-{job.id}-{self.failed_runs[job.id]}", self.now))
            self.guards.accepted()
            self.flying[job.id] = job.model, end

    async def land(self, job_id: int) -> None:
        """A job at the API comes to its end."""
        model, end = self.flying.pop(job_id)
        done = RemoteDone(job_id, ("https://p/1.png",), None)
        if end == SUCCESS:
            await self.apply(done, Fetched(job_id, (), self.now))
            self.guards.succeeded(model)
            return
        kind = FailureKind(end)
        failure = Failure(kind, "why")
        if kind in FETCHED_BY_NOW:
            await self.apply(done, FetchFailed(job_id, failure, self.now))
        else:
            await self.apply(*self.failed_at_the_api(job_id, failure))
        self.guards.failed(model, kind)

    def failed_at_the_api(self, job_id: int, failure: Failure) -> list[Outcome]:
        """Its run failed; `--max-attempts` may send it again."""
        outcomes: list[Outcome] = [RemoteFailed(job_id, failure, None, self.now)]
        self.failed_runs[job_id] += 1
        if failure.kind is F.REMOTE_FAILED and self.failed_runs[job_id] < self.max_attempts:
            outcomes.append(Requeued(job_id, self.now, automatic=True))
        return outcomes

    async def die(self) -> None:
        """Killed with submits on their way: the next run leaves them unconfirmed."""
        for _ in range(self.dice.randint(0, GATE)):
            job = await self.queued()
            if job is not None and not self.tripped and self.admits(job):
                assert await self.table.store.jobs.claim(claimed(job.id, self.now, self.estimate))
                self.guards.unconfirmed(job.model)  # else more would be in hand than may be
        failure = Failure(F.UNCONFIRMED, "killed")
        await self.table.store.witness.settle_interrupted(self.table.batch.id, failure)

    def admits(self, job: QueuedJob) -> bool:
        """Whether the guards let it go beside those in flight."""
        return self.guards.admits(job.model, sum(model == job.model for model, _ in self.flying.values()))

    async def apply(self, *outcomes: Outcome) -> None:
        assert await self.table.store.jobs.apply(*outcomes)
        self.table.clock.advance(1)

    @property
    def now(self) -> datetime:
        return self.table.clock.now()

    async def run(self, *, events: int) -> None:
        """One run of so many events: it sends, and lands, and ends paused, killed or with nothing left."""
        await self.start()
        for _ in range(events):
            job = None
            if not self.tripped and len(self.flying) < CONCURRENCY and not await self.paused():
                job = await self.queued()
            if job is not None and self.admits(job) and self.dice.random() < 0.7:
                await self.send(job, self.ends())
            elif self.flying:
                await self.land(self.dice.choice(list(self.flying)))
        if self.tripped and self.dice.random() < 0.5:  # else it is killed before it writes that down
            await self.table.store.batches.pause(self.table.batch.id, PauseReason.GUARD, self.tripped[0])
        await self.die()

    def burnt(self) -> tuple[int, int]:
        """Submits that are or may be paid for without images, and jobs with images."""
        paid = "SELECT count(*) AS many FROM attempt WHERE outcome != 'refused'"
        (submits,) = select(self.table.path, paid)
        brought = f"SELECT count(*) AS many FROM job WHERE state = '{JobState.SUCCEEDED}'"
        (pictures,) = select(self.table.path, brought)
        return submits["many"] - pictures["many"], pictures["many"]


def bound(pictures: int, limits: GuardLimits = LIMITS, doubts: int = DOUBTS_ALLOWED) -> int:
    """The most that may burn until a person resumes.

    Of every 30 jobs that ended, 3 succeeded, or the run pauses: 9 burn for each that succeeds, and 30 at the
    end; beside them what is in flight, and doubts up to their limit and one gate. Where no job has ever
    succeeded, the canaries and one gate are all.
    """
    return 9 * pictures + limits.window + CONCURRENCY + doubts + 1 + GATE


def mixture(dice: random.Random, success: float, *kinds: End) -> Callable[[], End]:
    """Each job succeeds with this chance, or ends as one of these."""
    return lambda: SUCCESS if dice.random() < success else dice.choice(kinds)


def by_turns(*ends: End) -> Callable[[random.Random], Callable[[], End]]:
    def made(_dice: random.Random) -> Callable[[], End]:
        turn = iter(range(10**9))
        return lambda: ends[next(turn) % len(ends)]

    return made


PROCESSES: dict[str, Callable[[random.Random], Callable[[], End]]] = {
    "one kind": by_turns(F.REMOTE_FAILED),
    "two kinds by turns": by_turns(F.REMOTE_FAILED, F.NO_IMAGES),
    "five kinds": lambda dice: mixture(
        dice, 0.0, F.REMOTE_FAILED, F.NO_IMAGES, F.EXPIRED, F.LOST, F.MODERATED
    ),
    "95 % fail": lambda dice: mixture(dice, 0.05, F.REMOTE_FAILED, F.NO_IMAGES),
    "85 % fail": lambda dice: mixture(dice, 0.15, F.REMOTE_FAILED, F.BAD_PICTURE, F.LOST),
    "nothing is answered": by_turns(DOUBT),
    "half is answered, and fails": by_turns(DOUBT, F.REMOTE_FAILED),
    "a success before each streak's end": by_turns(*[F.REMOTE_FAILED] * 19, SUCCESS),
    "refused, unanswered and failed": by_turns(F.REFUSED, DOUBT, F.NO_IMAGES),
    "works, then nothing does": lambda _dice: iter([SUCCESS] * 40 + [F.NO_IMAGES, F.LOST] * 900).__next__,
}


NEVER_ENDS = 10_000
RUNS = {
    "a new model, every few minutes": (LIMITS, 12),
    "a proven model, every few minutes": (dataclasses.replace(LIMITS, canary=0), 12),
    "a proven model, one run": (dataclasses.replace(LIMITS, canary=0), NEVER_ENDS),
}
"""What the guards have to go by, and after how many events a run is killed."""


@pytest.mark.parametrize("max_attempts", [1, 2])
@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("process", PROCESSES)
async def test_what_burns_has_a_bound(tmp_path: Path, process: str, runs: str, max_attempts: int) -> None:
    """A timer starts runs for ever, with `--yes`; no price is ever known; nobody resumes."""
    limits, events = RUNS[runs]
    dice = random.Random(f"{process} {runs}")
    async with opened_table(tmp_path / "night.db") as table:
        await table.load(planned(f"r{n}", n) for n in range(ROWS))
        await table.store.batches.agree(table.batch.id)
        economy = Economy(
            table, dice, PROCESSES[process](dice), limits, estimate=None, max_attempts=max_attempts
        )
        quiet = 0
        while quiet < 3:
            before = economy.burnt()
            await economy.run(events=min(events, 4 * ROWS))
            quiet = quiet + 1 if economy.burnt() == before and not economy.flying else 0
        burnt, pictures = economy.burnt()
        most = bound(pictures) if pictures or not limits.canary else limits.canary + GATE
        print(f"\n{process}, {runs}: {burnt} of {ROWS} burnt, {pictures} with images; bound {most}")  # noqa: T201
        assert burnt <= most


@pytest.mark.parametrize("max_attempts", [1, 2])
@pytest.mark.parametrize("seed", range(8))
async def test_a_restart_changes_no_count(tmp_path: Path, seed: int, max_attempts: int) -> None:
    """Guards that begin before every event say what guards say that were there all along."""
    dice = random.Random(seed)
    limits = GuardLimits(
        failures_in_a_row=dice.choice((3, 5)),
        window=dice.choice((6, 9)),
        window_percent=dice.choice((20.0, 40.0)),
        unconfirmed=4,
        canary=dice.choice((1, 3)),
    )
    ends = mixture(dice, 0.25, DOUBT, F.REFUSED, F.REMOTE_FAILED, F.EXPIRED)
    async with opened_table(tmp_path / "night.db") as table:
        models = (MODEL, MODEL, OTHER)
        await table.load(planned(f"r{n}", n, model=dice.choice(models)) for n in range(60))
        await table.store.batches.agree(table.batch.id)
        economy = Economy(table, dice, ends, limits, max_attempts=max_attempts)
        await economy.start()
        tripped = 0
        while (job := await economy.queued()) is not None or economy.flying:
            if job is not None and len(economy.flying) < 3:
                await economy.send(job, ends())
            else:
                await economy.land(dice.choice(list(economy.flying)))
            said = list(economy.tripped)
            economy.tripped.clear()
            economy.guards.check()
            heard: list[str] = []
            fresh = await economy.fresh(heard.append)
            fresh.check()
            assert heard == economy.tripped
            tripped += bool(heard)
            for model in (MODEL, OTHER):
                for in_hand in range(4):
                    assert fresh.admits(model, in_hand) == economy.guards.admits(model, in_hand)
            assert not said or said[-1] in heard
            economy.tripped.clear()
            if heard and dice.random() < 0.2:
                await table.store.batches.pause(table.batch.id, PauseReason.GUARD, heard[0])
                await table.store.batches.resume(table.batch.id)
                table.clock.advance(1)
                economy.guards.start_anew()
        assert tripped
