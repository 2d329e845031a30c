"""The model of the job's life, searched to the end, and held against a real table."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import pytest

from jobs.pauses import PauseReason
from jobs.states import MOVES, JobState, Move
from runner.providers.base import SubmitVerdict, TurnedAway, Unconfirmed
from tests.model import life
from tests.model.life import LARGER, ONE_JOB, TWO_JOBS, Bounds, Job, Reading, apply, reading_of, search
from tests.support.tables import Table, claimed, opened_table, outcome_of

WALKS = 25
STEPS = 12


@pytest.mark.parametrize(
    "bounds", [ONE_JOB, TWO_JOBS, *(pytest.param(bounds, marks=pytest.mark.slow) for bounds in LARGER)]
)
def test_every_promise_holds_in_every_state(bounds: Bounds) -> None:
    """Accepted at most as often as allowed, no id lost, no row stops another, each has a way out."""
    found = search(bounds)
    assert found.violations == []
    assert found.stuck == 0
    assert found.states > 5_000


def test_each_class_of_verdict_is_in_the_model() -> None:
    """A verdict that is new has to say what it does to a job."""
    names = [verdict.__name__ for verdict in get_args(SubmitVerdict)]
    assert names == ["Taken", "TurnedAway", "Denied", "Stopped", "Unconfirmed"]
    named = reading_of(Unconfirmed("x", named_id="r", if_unknown=TurnedAway("429")))
    assert named == Reading("unconfirmed", names_id=True, if_unknown=True)


def test_what_comes_after_acceptance_turns_nobody_away() -> None:
    """What the run reads from real dresses: after acceptance, a receipt or a doubt."""
    assert {reading.kind for reading in life.after()} == {"accepted", "unconfirmed"}
    assert {reading.kind for reading in life.before()} == {"not_accepted", "refused", "unconfirmed"}


def _heard(when: str, *readings: Reading) -> AbstractContextManager[Any]:
    return mock.patch.object(life, when, return_value=frozenset(readings))


def _moves(move: Move, sources: set[JobState], target: JobState) -> AbstractContextManager[Any]:
    return mock.patch.dict(MOVES, {move: (frozenset(sources), target)})


def _unasked(job: Job) -> Job:
    """Sent again, and nobody is held to account."""
    return job._replace(agreed=True)


RECEIPT = Reading("accepted")
S = JobState


@pytest.mark.parametrize(
    ("bug", "says"),
    [
        (lambda: _heard("after", RECEIPT, Reading("not_accepted")), "nobody knows"),
        (lambda: _heard("after", RECEIPT, Reading("refused")), "nobody knows"),
        (lambda: mock.patch.object(life, "_again", _unasked), "accepted 2 times"),
        (
            lambda: _heard("before", Reading("not_accepted", pauses=PauseReason.TOKEN)),
            "stops the batch",
        ),
    ],
    ids=[
        "a page turns away",
        "a page after acceptance refuses",
        "a repeat that nobody allowed",
        "a row's 403 is the token's",
    ],
)
def test_the_model_finds_what_is_wrong(bug: Callable[[], AbstractContextManager[Any]], says: str) -> None:
    """Each in some state that can be reached: a model that finds nothing proves nothing."""
    with bug():
        found = search(Bounds((2,), 1))
    assert any(says in text for text in found.violations), found.violations[:3]


def test_a_state_without_a_way_out_is_found() -> None:
    """A row that no command and no answer ends."""
    with (
        _moves(Move.DISCARD, set(), S.FAILED),
        mock.patch.object(life, "_ends", life._ends.__wrapped__),
    ):
        assert search(Bounds((1,), 0)).stuck > 0


async def test_the_model_does_what_the_table_does(tmp_path: Path) -> None:
    """Walks over moves that fit and moves that do not: both come to the same row and the same attempts."""
    keys = [f"walk-{number}" for number in range(WALKS)]
    async with opened_table(tmp_path / "night.db", *keys) as table:
        await table.store.batches.agree(table.batch.id)
        for number, key in enumerate(keys):
            await _walk(table, key, random.Random(number))


async def _walk(table: Table, key: str, dice: random.Random) -> None:
    job_id, job, sent = (await table.job(key)).id, Job(), 0
    for _ in range(STEPS):
        fitting = [move for move in Move if job.state in MOVES[move][0]]
        move = dice.choice(fitting if fitting and dice.random() < 0.8 else list(Move))
        if move is Move.LINK or (move is Move.ATTACH and job.newest is None):
            continue  # no two rows say the same here, and no id is nobody's
        if move is Move.CLAIM:
            expected = apply(job, move, sent=sent + 1)
            done = await table.store.jobs.claim(claimed(job_id, table.clock.at)) is not None
            sent += done
        else:
            newest = 0 if job.newest is None else job.newest.sent
            if move is Move.ATTACH:  # also one that an earlier attempt has, or may have had
                known = {attempt.sent for attempt in job.attempts} | {
                    a.holds for a in job.attempts if a.holds
                }
                newest = dice.choice([newest, *sorted(known)])
            outcome = outcome_of(move, job_id, request_id=f"{key}-{newest}", at=table.clock.at)
            failure = getattr(outcome, "failure", None)
            takes_an_id = move in (Move.ACCEPTED, Move.ATTACH)
            kind = None if failure is None else failure.kind
            expected = apply(job, move, sent=newest if takes_an_id else 0, kind=kind)
            done = await table.store.jobs.apply(outcome)
        assert done is (expected is not None), (key, move, job)
        job = job if expected is None else expected
        row = table.row(job_id)
        kept = [line for line in table.attempts(job_id) if line["number"] is not None]
        assert (row["state"], bool(row["agreed"]), row["authorised"]) == (
            job.state,
            job.agreed,
            job.authorised,
        )
        assert [(line["outcome"], line["request_id"]) for line in kept] == [
            (attempt.outcome, attempt.holds and f"{key}-{attempt.holds}") for attempt in job.attempts
        ]
