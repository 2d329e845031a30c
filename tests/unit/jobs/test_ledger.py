"""The books: every submit is accounted for, and what is paid and not in hand is named with its price."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.attempts import SubmitOutcome
from jobs.failures import FailureKind
from jobs.ledger import LedgerAudit, balance
from jobs.outcomes import Requeued, Resubmitted
from jobs.states import JobState, Move
from jobs.views import AttemptView
from tests.support.tables import ESTIMATE, NIGHT, Table, opened_table

Out = SubmitOutcome
S = JobState


def line(number: int = 1, job_id: int = 1, **more: Any) -> AttemptView:
    """A line of the ledger: accepted, and its pictures are home."""
    values: dict[str, Any] = {
        "id": 10 * job_id + number,
        "uid": f"uid-{job_id}-{number}",
        "job_id": job_id,
        "key": f"job-{job_id}",
        "row": job_id + 1,
        "number": number,
        "payload_sha256": "5" * 64,
        "started_at": NIGHT + timedelta(minutes=number),
        "answered_at": None,
        "outcome": Out.ACCEPTED,
        "request_id": f"req-{job_id}-{number}",
        "named_id": None,
        "answer": None,
        "cost_usd": Decimal("0.04"),
        "estimate_usd": ESTIMATE,
        "ended": "done",
        "detail": None,
        "automatic": False,
        "state": S.SUCCEEDED,
        "authorised": 0,
    }
    return AttemptView(**(values | more))


def whys(books: LedgerAudit) -> list[tuple[str, str]]:
    """What is not in hand: request_id or key, and why."""
    return [(entry.attempt.request_id or entry.attempt.key, entry.why) for entry in books.not_in_hand]


# -- whether they balance --------------------------------------------------------------------------------


def test_nothing_was_sent() -> None:
    """Empty books balance."""
    books = balance([])
    assert books.balanced
    assert (books.jobs_sent, books.submits, books.repeats_allowed, books.unconfirmed) == (0, 0, 0, 0)
    assert books.not_in_hand_usd == 0


def test_a_submit_a_job_balances() -> None:
    """The usual night."""
    books = balance([line(job_id=number) for number in range(1, 4)])
    assert books.balanced
    assert (books.jobs_sent, books.submits, books.repeats_allowed) == (3, 3, 0)
    assert books.not_in_hand == ()


def test_a_second_submit_that_nobody_allowed_does_not_balance() -> None:
    """It is named by its key."""
    books = balance([line(job_id=1), line(1, job_id=2), line(2, job_id=2)])
    assert not books.balanced
    assert books.overdrawn == ("job-2",)
    assert (books.jobs_sent, books.submits, books.repeats_allowed) == (2, 3, 0)


@pytest.mark.parametrize(("submits", "allowed", "balanced"), [(2, 1, True), (3, 1, False), (3, 2, True)])
def test_each_repeat_needs_a_leave_of_its_own(submits: int, allowed: int, balanced: bool) -> None:
    """One leave is not for ever."""
    books = balance([line(number, authorised=allowed) for number in range(1, submits + 1)])
    assert books.balanced is balanced
    assert books.overdrawn == (() if balanced else ("job-1",))


def test_the_leave_of_one_job_does_not_serve_another() -> None:
    """The sums would balance; the jobs do not."""
    spare = line(job_id=1, authorised=5)
    books = balance([spare, line(1, job_id=2), line(2, job_id=2)])
    assert books.submits <= books.jobs_sent + books.repeats_allowed
    assert not books.balanced
    assert books.overdrawn == ("job-2",)


@pytest.mark.parametrize("outcome", sorted(set(Out) - {Out.REFUSED, Out.TURNED_AWAY}))
def test_what_was_or_may_have_been_accepted_counts(outcome: SubmitOutcome) -> None:
    """A doubt counts as sent, however it was settled."""
    books = balance([line(1, outcome=outcome), line(2)])
    assert (books.submits, books.balanced) == (2, False)


def test_a_submit_that_was_turned_away_is_counted_apart() -> None:
    """It left, was answered, and is free: nobody has to allow another."""
    books = balance([line(1, outcome=Out.TURNED_AWAY, request_id=None), line(2)])
    assert (books.submits, books.turned_away, books.balanced) == (1, 1, True)
    assert books.not_in_hand == ()


def test_a_refused_submit_is_free() -> None:
    """Neither a submit that was paid, nor a leave that was used."""
    books = balance([line(1, outcome=Out.REFUSED, authorised=1), line(2, authorised=1)])
    assert books.balanced
    assert (books.submits, books.repeats_allowed, books.not_in_hand) == (1, 1, ())
    alone = balance([line(outcome=Out.REFUSED, state=S.FAILED)])
    assert (alone.jobs_sent, alone.submits, alone.not_in_hand) == (0, 0, ())


def test_open_doubts_are_counted() -> None:
    """What was settled, or answered, is open no more."""
    outcomes = list(Out)
    books = balance([line(job_id=number, outcome=outcome) for number, outcome in enumerate(outcomes, 1)])
    assert books.unconfirmed == 2
    assert books.balanced


# -- paid, and not in hand -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Out.INTENT, "unconfirmed: no readable answer"),
        (Out.UNCONFIRMED, "unconfirmed: no readable answer"),
        (Out.RESUBMITTED, "unconfirmed, and sent again"),
        (Out.DISCARDED, "unconfirmed, and discarded"),
    ],
)
def test_doubts_are_not_in_hand(outcome: SubmitOutcome, why: str) -> None:
    """Even where a later submit of the job has brought its pictures; at the most that they may have cost."""
    unconfirmed = line(1, outcome=outcome, request_id=None, cost_usd=None, ended=None, authorised=1)
    books = balance([unconfirmed, line(2, authorised=1)])
    assert whys(books) == [("job-1", why)]
    assert books.not_in_hand_usd == ESTIMATE


@pytest.mark.parametrize(
    ("state", "ended", "why"),
    [
        (S.RUNNING, None, "on its way"),
        (S.FETCHING, "done", "on its way"),
        (S.FAILED, "done", "done at the API, pictures not here"),
        (S.FAILED, "remote_failed", "remote_failed"),
        (S.CANCELLED, "cancelled", "cancelled"),
        (S.QUEUED, "remote_failed", "remote_failed"),
        (S.FAILED, None, "not fetched"),
    ],
)
def test_what_was_accepted_and_is_not_home(state: JobState, ended: str | None, why: str) -> None:
    """With the reason, and the cost that the API told."""
    books = balance([line(state=state, ended=ended)])
    assert whys(books) == [("req-1-1", why)]
    assert books.not_in_hand_usd == Decimal("0.04")


def test_only_the_newest_submit_is_the_one_whose_pictures_are_here() -> None:
    """An older one was paid for as well, whichever line comes first."""
    lines = [line(1, ended="done", authorised=1), line(2, authorised=1)]
    for ledger in (lines, lines[::-1]):
        books = balance(ledger)
        assert whys(books) == [("req-1-1", "done at the API, pictures not here")]
        assert books.balanced


def test_only_the_newest_submit_is_on_its_way() -> None:
    """The one before it has failed."""
    books = balance([line(1, state=S.RUNNING, ended="remote_failed"), line(2, state=S.RUNNING, ended=None)])
    assert whys(books) == [("req-1-1", "remote_failed"), ("req-1-2", "on its way")]


def test_the_money_is_what_was_told_or_else_the_most() -> None:
    """What is known of neither adds nothing, and is listed all the same."""
    lost: dict[str, Any] = {"state": S.FAILED, "ended": "lost"}
    books = balance(
        [
            line(job_id=1, cost_usd=Decimal("0.03"), **lost),
            line(job_id=2, cost_usd=None, **lost),
            line(job_id=3, cost_usd=None, estimate_usd=None, **lost),
            line(job_id=4, cost_usd=Decimal(0), **lost),
            line(job_id=5),
        ]
    )
    assert [entry.usd for entry in books.not_in_hand] == [Decimal("0.03"), ESTIMATE, None, Decimal(0)]
    assert books.not_in_hand_usd == Decimal("0.03") + ESTIMATE


def test_what_is_not_in_hand_is_in_the_order_in_which_it_was_sent() -> None:
    """Not job by job."""
    mixed = [
        line(2, job_id=1, id=3, outcome=Out.UNCONFIRMED),
        line(1, job_id=2, id=2, outcome=Out.UNCONFIRMED),
        line(1, job_id=1, id=1, outcome=Out.RESUBMITTED),
    ]
    assert [entry.attempt.id for entry in balance(mixed).not_in_hand] == [1, 2, 3]


# -- over a real ledger ----------------------------------------------------------------------------------


async def books_of(table: Table) -> LedgerAudit:
    return balance(await table.store.ledger.attempts(table.batch.id))


async def test_the_books_of_every_state_balance(tmp_path: Path) -> None:
    """And what was never sent is not in them."""
    async with opened_table(tmp_path / "n.db", *"abcdefgh") as table:
        for key, state in zip("abcdefgh", JobState, strict=True):
            await table.bring(key, state)
        books = await books_of(table)
        assert books.balanced
        assert (books.jobs_sent, books.submits) == (6, 6)
        assert books.unconfirmed == 2
        assert whys(books) == [
            ("b", "unconfirmed: no readable answer"),
            ("req-c", "on its way"),
            ("req-d", "on its way"),
            ("req-f", "done at the API, pictures not here"),
            ("h", "unconfirmed: no readable answer"),
        ]
        assert books.not_in_hand_usd == 3 * ESTIMATE + 2 * Decimal("0.04")


@pytest.mark.parametrize("automatic", [False, True])
async def test_a_repeat_that_was_allowed_balances(tmp_path: Path, automatic: bool) -> None:
    """By a person or by a setting: after a doubt, and after a run that failed."""
    async with opened_table(tmp_path / "n.db", "a", "b") as table:
        unconfirmed = await table.move("a", Move.CLAIM, Move.UNCONFIRMED)
        failed = await table.move("b", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED)
        assert await table.store.jobs.apply(Resubmitted(unconfirmed, NIGHT, automatic=automatic))
        assert await table.store.jobs.apply(Requeued(failed, NIGHT, automatic=automatic))
        for key in "ab":
            await table.move(key, Move.CLAIM)
        books = await books_of(table)
        assert books.balanced
        assert (books.jobs_sent, books.submits, books.repeats_allowed) == (2, 4, 2)
        assert await table.store.ledger.automatic_resubmits(table.batch.id) == automatic


async def test_going_back_unsent_gives_no_leave(tmp_path: Path) -> None:
    """A job that was cancelled in the queue, and taken back, may be sent once as before."""
    async with opened_table(tmp_path / "n.db", "a") as table:
        job_id = await table.move("a", Move.CANCEL)
        assert await table.store.jobs.apply(Requeued(job_id, NIGHT))
        await table.move("a", Move.CLAIM, Move.NOT_ACCEPTED, Move.CLAIM)
        books = await books_of(table)
        assert (books.submits, books.repeats_allowed, books.balanced) == (1, 0, True)


@pytest.mark.parametrize(
    "damage",
    [
        ["UPDATE job SET authorised = authorised - 1"],
        ["UPDATE attempt SET outcome = 'unanswered', request_id = NULL WHERE number = 3"],
    ],
)
async def test_a_ledger_with_one_line_too_many_is_seen(tmp_path: Path, damage: Sequence[str]) -> None:
    """A leave that is missing, or a submit that was free and now is none."""
    async with opened_table(tmp_path / "n.db", "a") as table:
        again = (Move.REQUEUE, Move.CLAIM)
        await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, *again, Move.UNCONFIRMED)
        await table.move("a", Move.RESUBMIT, Move.CLAIM, Move.REFUSED)
        kinds = [attempt.outcome for attempt in await table.store.ledger.attempts(table.batch.id)]
        assert kinds == [Out.ACCEPTED, Out.RESUBMITTED, Out.REFUSED]
        assert (await books_of(table)).balanced
        with closing(sqlite3.connect(table.path)) as connection, connection:
            connection.execute("UPDATE job SET authorised = 1")
        assert (await books_of(table)).balanced
        with closing(sqlite3.connect(table.path)) as connection, connection:
            for statement in damage:
                connection.execute(statement)
        assert (await books_of(table)).overdrawn == ("a",)


def test_a_kind_of_failure_is_the_reason_as_it_stands() -> None:
    """The words of the manifest."""
    for kind in FailureKind:
        assert whys(balance([line(state=S.FAILED, ended=str(kind))])) == [("req-1-1", str(kind))]
