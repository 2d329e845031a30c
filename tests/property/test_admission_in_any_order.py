"""Admission: two batches of one account, limits that change, submits and what comes of them, in any order.

A model reads jobs and attempts as they are on disk, and says by its own sums whether a submit fits.
"""

from collections.abc import Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jobs.admission import Bound, NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.outcomes import NotAccepted, RemoteDone
from jobs.states import Move
from tests.property.searching import budget
from tests.property.test_store_in_any_order import Opened
from tests.support.postgres import ON_BOTH
from tests.support.tables import ORIGIN, claimed, outcome_of, planned, select

CENTS = 10_000
JOBS = st.integers(0, 5)
MOVES = st.sampled_from(
    (Move.ACCEPTED, Move.REFUSED, Move.UNCONFIRMED, Move.REMOTE_FAILED, Move.RESUBMIT, Move.DISCARD)
)
PAID = {"intent", "accepted", "unanswered", "resubmitted", "discarded"}


class AdmissionMachine(RuleBasedStateMachine):
    """An account of its own in each life."""

    opened: ClassVar[Opened]
    is_file: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        number = next(self.opened.numbers)
        self.name = f"account {number}"
        self.limits: dict[str, Any] = {
            "in_flight_max": None,
            "gate": None,
            "per_minute": None,
            "budget": None,
        }
        self.next_at: datetime | None = None
        self.doubt: datetime | None = None
        self.of: dict[int, int] = {}
        for batch in range(2):
            made, _ = self.do(
                self.opened.store.batches.load(
                    name=f"batch {number}.{batch}",
                    sheet=Path(f"/{number}.{batch}.csv"),
                    origin=ORIGIN,
                    planned=[planned(f"k{key}", key, prompt=f"{number} {batch} {key}") for key in range(3)],
                )
            )
            self.do(self.opened.store.batches.agree(made.id))
            self.account = self.do(self.opened.store.accounts.enter(self.name, made.id))
            for job in self.do(self.opened.store.jobs.queued(made.id, limit=9)):
                self.of[job.id] = made.id

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.opened.do(work)

    @property
    def now(self) -> datetime:
        return self.opened.clock.at

    def rows(self, table: str, column: str) -> list[dict[str, Any]]:
        wanted = ", ".join(map(str, self.of))
        return select(self.opened.path, f"SELECT * FROM {table} WHERE {column} IN ({wanted})")

    # -- the model ---------------------------------------------------------------------------------------

    @property
    def there(self) -> tuple[int, int]:
        """Jobs that may be at the API, and those on their way."""
        total = submitting = 0
        for job in self.rows("job", "id"):
            if job["state"] in {"submitting", "running", "unconfirmed"}:
                age = self.now - datetime.fromisoformat(job["submitted_at"])
                last = timedelta(minutes=3) if job["state"] == "unconfirmed" else timedelta(hours=1)
                total += age < last
                submitting += age < timedelta(minutes=3) and job["state"] == "submitting"
        return total, submitting

    @property
    def millionths(self) -> int:
        """What is spent, or may be: what was told, else the most that it may be."""
        return sum(
            (one["cost_usd"] if one["cost_usd"] is not None else one["estimate_usd"])
            if one["outcome"] in PAID
            else one["cost_usd"] or 0
            for one in self.rows("attempt", "job_id")
        )

    def expected(self, cents: int, *, cleared: bool) -> Bound | None:
        if self.doubt is not None and not cleared:
            return Bound.DOUBT
        total, submitting = self.there
        if self.limits["in_flight_max"] is not None and total >= self.limits["in_flight_max"]:
            return Bound.IN_FLIGHT
        if self.limits["gate"] is not None and submitting >= self.limits["gate"]:
            return Bound.GATE
        most = self.limits["budget"]
        if most is not None and self.millionths + cents * CENTS > most * 1_000_000:
            return Bound.BUDGET
        if self.limits["per_minute"] and self.next_at is not None and self.now < self.next_at:
            return Bound.RATE
        return None

    # -- what is done ------------------------------------------------------------------------------------

    @rule(number=JOBS, cents=st.integers(0, 12), cleared=st.booleans())
    def submit(self, number: int, cents: int, cleared: bool) -> None:
        """It is let go where it fits, and only there."""
        job_id = sorted(self.of)[number]
        sent = claimed(job_id, self.now, Decimal(cents) / 100)
        terms = SubmitTerms(self.account.id, self.of[job_id], cleared=self.doubt if cleared else None)
        (job,) = select(self.opened.path, "SELECT state, agreed FROM job WHERE id = ?", job_id)
        expected = self.expected(cents, cleared=cleared)
        answer = self.do(self.opened.store.jobs.claim(sent, terms))
        if cleared:
            self.doubt = None
        if expected is not None:
            assert isinstance(answer, NotAdmitted)
            assert answer.bound is expected
        elif job["state"] == "queued" and job["agreed"]:
            assert isinstance(answer, Intent)
            if self.limits["per_minute"]:
                self.next_at = self.now + timedelta(seconds=60 / self.limits["per_minute"])
        else:
            assert answer is None

    @rule(number=JOBS, move=MOVES)
    def come(self, number: int, move: Move) -> None:
        """What comes of a submit, if it may."""
        job_id = sorted(self.of)[number]
        outcome = outcome_of(move, job_id, request_id=f"req-{next(self.opened.numbers)}", at=self.now)
        if self.do(self.opened.store.jobs.apply(outcome)) and move is Move.UNCONFIRMED:
            self.doubt = self.now

    @rule(number=JOBS, cents=st.none() | st.integers(0, 20))
    def be_done(self, number: int, cents: int | None) -> None:
        """With a cost that is lower or higher than what was expected, or with none."""
        cost = None if cents is None else Decimal(cents) / 100
        done = RemoteDone(sorted(self.of)[number], ("https://pictures.example/1.png",), cost)
        self.do(self.opened.store.jobs.apply(done))

    @rule(number=JOBS, told=st.sampled_from((None, "busy")))
    def give_back(self, number: int, told: str | None) -> None:
        """It did not leave, or was turned away."""
        self.do(self.opened.store.jobs.apply(NotAccepted(sorted(self.of)[number], self.now, self.now, told)))

    @rule(
        in_flight_max=st.none() | st.integers(1, 4),
        gate=st.none() | st.integers(1, 2),
        per_minute=st.none() | st.sampled_from((1.0, 60.0)),
        cents=st.none() | st.integers(0, 40),
    )
    def limit(
        self, in_flight_max: int | None, gate: int | None, per_minute: float | None, cents: int | None
    ) -> None:
        """A person sets limits. On a server the rate goes by its own clock, which no test moves."""
        self.limits = {
            "in_flight_max": in_flight_max,
            "gate": gate,
            "per_minute": per_minute if self.is_file else None,
            "budget": None if cents is None else Decimal(cents) / 100,
        }
        self.next_at = None
        self.do(self.opened.store.accounts.set_limits(self.name, self.limits))

    @rule(seconds=st.sampled_from((0.5, 30.0, 181.0, 3601.0)))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.opened.clock.advance(seconds)

    # -- what is so --------------------------------------------------------------------------------------

    @invariant()
    def what_is_told_is_what_is_there(self) -> None:
        """The account as a person sees it, and the counts that it is made of."""
        account = self.do(self.opened.store.accounts.of_batch(min(self.of.values())))
        assert account.in_flight == self.there[0]
        assert account.committed_usd * 1_000_000 == self.millionths
        assert account.doubted_since == self.doubt


@pytest.mark.timeout(3600)
@ON_BOTH
def test_admission_in_any_order(kept_on: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Some lives of an account, in a file and, fewer, on a server; more with `--slow`."""
    opened = Opened(tmp_path / "night.db")

    class Here(AdmissionMachine):
        pass

    Here.opened, Here.is_file = opened, kept_on == "file"
    try:
        run_state_machine_as_test(
            Here,
            settings=budget(request.config, examples=40 if kept_on == "file" else 10, steps=20, times=10),
        )
    finally:
        opened.close()
