"""Crash trials in which files are lost, or come back from an earlier time, between two runs.

`python -m tests.simulation.figures --losing` searches further.
"""

from typing import Any

import pytest

from jobs.states import JobState
from tests.simulation.losing import Files, judge
from tests.simulation.schedule import PLACES, Loss, losing, schedule
from tests.simulation.stage import in_world
from tests.simulation.trial import run_losing_trial
from tests.simulation.world import World
from tests.support.witness import SECOND_WITNESS

TRIALS = 25


@pytest.mark.skipif(not SECOND_WITNESS, reason="the journal and the held rows are not in this tree yet")
@pytest.mark.parametrize("first", range(0, 4 * TRIALS, TRIALS))
def test_what_is_lost_costs_nothing(first: int) -> None:
    """As long as a witness is left that knows all."""
    for seed in range(first, first + TRIALS):
        result = run_losing_trial(seed)
        assert (result.paid_twice, result.lost) == (0, 0), (
            f"python -m tests.simulation.replay {seed} --losing: {', '.join(result.losses)}"
        )


def test_a_night_without_any_witness_is_paid_again() -> None:
    """The judge sees it. Nobody could know: everything is deleted, the state folder as well."""

    async def story(w: World) -> None:
        files = Files(w)
        await w.live(**_PEACE)
        assert (w.table.states(), judge(w)) == ({JobState.SUCCEEDED: w.plan.rows}, (0, 0))
        for place in ("the set", "state folder"):
            files.befall(Loss("deleted", place))
        assert files.whole == set()
        await w.live(**_PEACE)
        assert judge(w).paid_twice == w.plan.rows

    in_world(_QUIET, story, limit_seconds=3600.0)


def test_files_are_kept_and_come_back() -> None:
    """Of what was restored the oracle knows, and of what was moved."""

    async def story(w: World) -> None:
        files = Files(w)
        w.write_sheet()
        files.keep()
        await w.live(**_PEACE)
        files.befall(Loss("moved", "the set"))
        assert (w.database.exists(), w.database.parent.parent) == (True, w.folder)
        assert (w.table.states(), files.whole) == ({JobState.SUCCEEDED: w.plan.rows}, _ALL)
        files.befall(Loss("restored", "database"))
        assert (len(w.table.jobs), files.whole) == (0, _ALL - {"database"})
        assert judge(w).lost in (0, w.plan.rows), "all, where nobody else has written them down"
        files.healed()
        assert files.whole == _ALL
        files.befall(Loss("moved", "lock"))
        assert (w.database.exists(), files.whole) == (False, {"state folder"})
        assert not files.spares(Loss("restored", "state folder"))

    in_world(_QUIET, story, limit_seconds=3600.0)


def test_what_a_trial_may_lose() -> None:
    """Every place; and nobody in such a trial allows a second submit."""
    plans = [losing(schedule(seed)) for seed in range(300)]
    assert {loss.place for plan in plans for loss in plan.losses if loss is not None} == set(PLACES)
    assert not any({"max_attempts", "resubmit_unconfirmed"} & plan.settings.keys() for plan in plans)
    assert not any(event.what in ("retry", "review", "edit") for plan in plans for event in plan.orders)


_ALL = {"database", "journal", "state folder"}
_PEACE: dict[str, Any] = {"guard_failures": 0, "guard_window": 0, "guard_unconfirmed": 0, "canary": 0}
_QUIET = losing(schedule(3))
