"""The table of a job's life, as data."""

from typing import get_args

import pytest

from jobs.outcomes import Claimed, Outcome
from jobs.states import AT_THE_API, ENDED, MOVES, JobState, Move

S = JobState

EXPECTED = {
    Move.CLAIM: ({S.QUEUED}, S.SUBMITTING),
    Move.UNSENDABLE: ({S.QUEUED}, S.FAILED),
    Move.LINK: ({S.QUEUED}, S.SUCCEEDED),
    Move.ACCEPTED: ({S.SUBMITTING, S.UNCONFIRMED}, S.RUNNING),
    Move.NOT_ACCEPTED: ({S.SUBMITTING, S.UNCONFIRMED}, S.QUEUED),
    Move.REFUSED: ({S.SUBMITTING}, S.FAILED),
    Move.UNCONFIRMED: ({S.SUBMITTING}, S.UNCONFIRMED),
    Move.REMOTE_DONE: ({S.RUNNING}, S.FETCHING),
    Move.REMOTE_FAILED: ({S.RUNNING}, S.FAILED),
    Move.REMOTE_CANCELLED: ({S.RUNNING}, S.CANCELLED),
    Move.LINKS_EXPIRED: ({S.FETCHING}, S.RUNNING),
    Move.FETCHED: ({S.FETCHING}, S.SUCCEEDED),
    Move.FETCH_FAILED: ({S.FETCHING}, S.FAILED),
    Move.CANCEL: ({S.QUEUED, S.RUNNING}, S.CANCELLED),
    Move.ATTACH: ({S.UNCONFIRMED, S.FAILED, S.CANCELLED}, S.RUNNING),
    Move.RESUBMIT: ({S.UNCONFIRMED}, S.QUEUED),
    Move.DISCARD: ({S.UNCONFIRMED}, S.FAILED),
    Move.REOPEN: ({S.FAILED, S.SUCCEEDED}, S.RUNNING),
    Move.REQUEUE: ({S.FAILED, S.CANCELLED}, S.QUEUED),
}
"""Written out a second time, so that a change of the job's life is made on purpose."""


@pytest.mark.parametrize("move", list(Move))
def test_every_move_is_as_agreed(move: Move) -> None:
    """A move that is not listed here has no business in the table."""
    sources, target = MOVES[move]
    assert (set(sources), target) == EXPECTED[move]


def test_each_outcome_carries_a_move_of_its_own() -> None:
    """One class a move: what happened is never told by two, and no move is without its class."""
    moves = [outcome.move for outcome in (Claimed, *get_args(Outcome))]
    assert sorted(moves) == sorted(Move)


def test_only_a_claim_leads_to_a_submit() -> None:
    """Promise one: nothing gets sent but through the claim, which commits the intent."""
    assert [move for move, (_, target) in MOVES.items() if target is S.SUBMITTING] == [Move.CLAIM]


def test_a_doubtful_submit_is_left_by_a_decision_or_by_proof() -> None:
    """A person decides; or a receipt comes late, or the API says that it does not know what a 429 named."""
    ways = {move for move, (sources, _) in MOVES.items() if S.UNCONFIRMED in sources}
    assert ways == {Move.ATTACH, Move.RESUBMIT, Move.DISCARD} | {Move.ACCEPTED, Move.NOT_ACCEPTED}


def test_what_is_paid_for_goes_back_to_the_queue_only_once_it_has_ended() -> None:
    """From running or fetching there is no short way to a second paid submit."""
    back = {move for move, (sources, target) in MOVES.items() if target is S.QUEUED and sources & AT_THE_API}
    assert back == set()


@pytest.mark.parametrize("state", sorted(set(JobState) - ENDED))
def test_every_state_that_is_no_end_has_a_way_to_one(state: JobState) -> None:
    """No job can be stuck for ever."""
    seen, grown = {state}, True
    while grown:
        reached = {target for sources, target in MOVES.values() if sources & seen}
        grown = not reached <= seen
        seen |= reached
    assert seen >= ENDED


def test_every_state_can_be_reached_from_the_queue() -> None:
    """A state that nothing leads to would be a mistake in the table."""
    seen = {S.QUEUED}
    for _ in JobState:
        seen |= {target for sources, target in MOVES.values() if sources & seen}
    assert seen == set(JobState)


def test_success_is_final() -> None:
    """A job that has all its pictures is never touched again; a person may have lost them since."""
    assert [move for move, (sources, _) in MOVES.items() if S.SUCCEEDED in sources] == [Move.REOPEN]
