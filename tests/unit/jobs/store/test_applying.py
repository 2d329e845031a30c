"""Moves are compare-and-set, and several are one."""

from types import SimpleNamespace
from typing import cast

import pytest

from jobs.errors import NightsheetError
from jobs.outcomes import Accepted
from jobs.states import MOVES, JobState, Move
from runner.workers.context import LOST, Context, must
from tests.support.tables import BROKEN_RULE, Table, outcome_of

S = JobState
REFUSED = [
    (move, state)
    for move, (sources, _) in MOVES.items()
    if move is not Move.CLAIM
    for state in JobState
    if state not in sources
]


@pytest.mark.parametrize("state", list(JobState))
async def test_a_move_that_does_not_start_here_changes_nothing(table: Table, state: JobState) -> None:
    """Of any job, attempt, picture or batch; and the caller is told."""
    job_id = await table.bring("a", state)
    before = table.everything()
    for move, source in REFUSED:
        if source is state:
            assert not await table.store.jobs.apply(outcome_of(move, job_id, request_id="another")), move
    assert table.everything() == before


@pytest.mark.parametrize(
    ("move", "state"),
    [
        (move, state)
        for move, (sources, _) in MOVES.items()
        if move is not Move.CLAIM
        for state in sorted(sources)
    ],
)
async def test_a_move_leads_where_it_says(table: Table, move: Move, state: JobState) -> None:
    """From each of its sources, and it moves that job alone."""
    discarded = move is Move.ATTACH and state is S.FAILED
    job_id = await (
        table.move("b", Move.CLAIM, Move.UNCONFIRMED, Move.DISCARD) if discarded else table.bring("b", state)
    )
    if move is Move.LINK:
        await table.store.links.link([(job_id, await table.bring("c", S.SUCCEEDED))])
    others = [table.row((await table.job(key)).id) for key in "ac"]
    assert await table.store.jobs.apply(outcome_of(move, job_id))
    assert table.row(job_id)["state"] == MOVES[move][1]
    assert [table.row((await table.job(key)).id) for key in "ac"] == others


async def test_a_job_that_is_not_there_is_not_moved(table: Table) -> None:
    """An id from another database, for one."""
    assert not await table.store.jobs.apply(outcome_of(Move.CANCEL, 4711))


async def test_several_outcomes_are_applied_together(table: Table) -> None:
    """In order: what the first one did is where the second starts."""
    job_id = await table.bring("a", S.RUNNING)
    failed, requeued = outcome_of(Move.REMOTE_FAILED, job_id), outcome_of(Move.REQUEUE, job_id)
    assert await table.store.jobs.apply(failed, requeued)
    row = table.row(job_id)
    assert (row["state"], row["failed_runs"], row["agreed"]) == ("queued", 1, 1)


async def test_one_refused_outcome_undoes_the_others(table: Table) -> None:
    """Half of a decision would be neither what was, nor what was meant."""
    running, queued = await table.bring("a", S.RUNNING), (await table.job("b")).id
    before = table.everything()
    outcomes = [outcome_of(Move.REMOTE_DONE, running), outcome_of(Move.FETCHED, queued)]
    assert not await table.store.jobs.apply(*outcomes)
    assert table.everything() == before


async def test_one_broken_outcome_undoes_the_others(table: Table) -> None:
    """A rule of the tables that is broken half way leaves no half behind."""
    first, second = await table.bring("a", S.SUBMITTING), await table.bring("b", S.SUBMITTING)
    before = table.everything()
    too_long = "r" * 129
    with pytest.raises(BROKEN_RULE):
        await table.store.jobs.apply(
            Accepted(first, "req-1", table.clock.at), Accepted(second, too_long, table.clock.at)
        )
    assert table.everything() == before


def _run(*, is_shared: bool) -> Context:
    return cast(Context, SimpleNamespace(files=SimpleNamespace(is_shared=is_shared)))


def test_a_move_that_must_succeed_stops_the_run_by_name() -> None:
    """It is a defect, and the person is told which job and that nothing was sent twice."""
    alone, beside = _run(is_shared=False), _run(is_shared=True)
    assert must(alone, 7, "hero") == 7
    with pytest.raises(NightsheetError, match="'hero'") as caught:
        must(alone, False, "hero")
    assert "Nothing was sent twice" in caught.value.hint
    assert must(beside, False, "hero") is LOST, "another runner has it"
