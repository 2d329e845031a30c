"""Whatever happens to a job, in whatever order: it only ever makes the moves of the table."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.attempts import IN_DOUBT, SubmitOutcome
from jobs.states import AT_THE_API, ENDED, MOVES, JobState, Move
from tests.support.tables import ORIGIN, Table, claimed, opened_table, outcome_of, planned, select

TAKES_AN_ID = {Move.ACCEPTED, Move.ATTACH}
JOBS_OF = "SELECT * FROM job WHERE batch_id = ?"


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    """One database; each example loads a batch of its own."""
    async with opened_table(tmp_path / "night.db") as opened:
        yield opened


@pytest.fixture
def numbers() -> Iterator[int]:
    """Names and request_ids that no other example has."""
    return count()


class Life:
    """One job, and what must be true of it."""

    def __init__(self, table: Table, job_id: int, numbers: Iterator[int]) -> None:
        self.table = table
        self.job_id = job_id
        self.numbers = numbers
        self.state = JobState.QUEUED
        self.agreed = False
        self.claims = 0
        self.not_accepted = 0
        self.attached = 0
        self.failed_runs = 0
        self.request_ids: list[str] = []

    def rows(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """All that is on disk of the job and its attempts, but for what was turned away."""
        attempts = self.table.attempts(self.job_id)
        return self.table.row(self.job_id), [line for line in attempts if line["number"] is not None]

    async def make(self, move: Move) -> None:
        """Try a move, and see that it did what the table of moves says, or nothing at all."""
        before = self.rows()
        expected = self.may(move)
        request_id = f"req-{next(self.numbers)}"
        if move is Move.CLAIM:
            moved = await self.table.store.jobs.claim(claimed(self.job_id)) is not None
        else:
            moved = await self.table.store.jobs.apply(outcome_of(move, self.job_id, request_id=request_id))
        assert moved == expected, move
        if not moved:
            assert self.rows() == before
            return
        self.state = MOVES[move][1]
        self.agreed = move in {Move.NOT_ACCEPTED, Move.RESUBMIT, Move.REQUEUE} or (
            self.agreed and move is not Move.CLAIM
        )
        self.claims += move is Move.CLAIM
        self.not_accepted += move is Move.NOT_ACCEPTED
        self.attached += move is Move.ATTACH and len(self.rows()[1]) > len(before[1])
        self.failed_runs += move is Move.REMOTE_FAILED
        if move in TAKES_AN_ID:
            self.request_ids.append(request_id)
            assert self.rows()[1][-1]["request_id"] == request_id, "it is the newest attempt's"

    async def attach_earlier(self, number: int) -> None:
        """Attach an id that an earlier attempt has: the two change places, or nothing happens."""
        row, attempts = self.rows()
        earlier = [attempt["request_id"] for attempt in attempts[:-1] if attempt["request_id"]]
        if not earlier:
            return
        request_id = earlier[number % len(earlier)]
        expected = self.state in MOVES[Move.ATTACH][0] - {JobState.UNCONFIRMED}
        attached = outcome_of(Move.ATTACH, self.job_id, request_id=request_id)
        assert await self.table.store.jobs.apply(attached) is expected
        if not expected:
            assert self.rows() == (row, attempts)
            return
        after, moved = self.rows()
        self.state = JobState.RUNNING
        assert (after["authorised"], after["attempts"]) == (row["authorised"], row["attempts"])
        place = [attempt["request_id"] for attempt in attempts].index(request_id)
        ids = [attempt["id"] for attempt in attempts]
        ids[place], ids[-1] = ids[-1], ids[place]
        assert [attempt["id"] for attempt in moved] == ids

    def may(self, move: Move) -> bool:
        """Whether the move starts here."""
        if self.state not in MOVES[move][0]:
            return False
        if move is Move.CLAIM:
            return self.agreed
        if move is Move.LINK:  # it says what no other job says
            return False
        row, attempts = self.rows()
        if move is Move.REOPEN:
            return bool(attempts) and attempts[-1]["request_id"] is not None
        if move is Move.ATTACH and self.state is JobState.FAILED:
            in_doubt = any(attempt["outcome"] in IN_DOUBT for attempt in attempts)
            return row["error_kind"] in {"lost", "discarded"} or in_doubt
        return True

    def check(self) -> None:
        """What holds after every move."""
        row, attempts = self.rows()
        outcomes = [attempt["outcome"] for attempt in attempts]
        assert (row["state"], row["agreed"]) == (self.state, int(self.agreed))
        assert row["attempts"] == len(attempts) == self.claims - self.not_accepted + self.attached
        assert [attempt["number"] for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert row["failed_runs"] == self.failed_runs
        # Promise one: sent once, and once more for each time that it was allowed.
        assert len(attempts) - outcomes.count(SubmitOutcome.REFUSED) <= 1 + row["authorised"]
        # Promise two: no request_id is ever lost, whatever comes after it.
        known = [attempt["request_id"] for attempt in attempts if attempt["request_id"]]
        assert sorted(known) == sorted(self.request_ids)
        # An intent is open exactly while the submit is on its way, and it is the newest attempt.
        assert outcomes.count(SubmitOutcome.INTENT) == int(self.state is JobState.SUBMITTING)
        if self.state is JobState.SUBMITTING:
            assert outcomes[-1] == SubmitOutcome.INTENT
        if self.state is JobState.UNCONFIRMED:
            assert outcomes[-1] == SubmitOutcome.UNCONFIRMED
        if self.state in AT_THE_API or self.state is JobState.SUCCEEDED:
            assert attempts[-1]["request_id"] is not None
        assert (row["finished_at"] is not None) == (self.state in ENDED)
        wrong = self.state in {JobState.FAILED, JobState.CANCELLED, JobState.UNCONFIRMED}
        assert (row["error_kind"] is not None) == wrong
        # No dead end: it has ended, or something may happen to it, if only that a person agrees.
        assert self.state in ENDED or any(self.may(move) for move in Move)


SHORT_CUTS = {Move.UNSENDABLE, Move.CANCEL, Move.REFUSED, Move.NOT_ACCEPTED, Move.FETCHED}
"""Moves that fit often and lead back or out soon: most steps leave them aside, so that lives get long."""

STEPS = st.lists(
    st.tuples(st.sampled_from(["any", "fitting", "earlier", "far", "far", "far"]), st.integers(0, 99)),
    min_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_job_only_ever_makes_the_moves_of_the_table(
    table: Table, numbers: Iterator[int], steps: list[tuple[str, int]]
) -> None:
    """Any sequence of outcomes, agreed to now and then: fitting moves are made, others change nothing."""
    name = f"batch-{next(numbers)}"
    batch, _ = await table.store.batches.load(
        name=name, sheet=Path(name), origin=ORIGIN, planned=[planned("a"), planned("b", 1)]
    )
    ids = {row["key"]: row["id"] for row in select(table.path, JOBS_OF, batch.id)}
    life, bystander = Life(table, ids["a"], numbers), table.row(ids["b"])
    for kind, number in steps:
        if life.state is JobState.QUEUED and not life.agreed and (kind == "far" or number % 2):
            await table.store.batches.agree(batch.id)
            life.agreed, bystander["agreed"] = True, 1
        if kind == "earlier":
            await life.attach_earlier(number)
            life.check()
            continue
        moves = [move for move in Move if kind == "any" or life.may(move)]
        if kind == "far":
            moves = [move for move in moves if move not in SHORT_CUTS]
        if moves:
            await life.make(moves[number % len(moves)])
        life.check()
        assert table.row(ids["b"]) == bystander
