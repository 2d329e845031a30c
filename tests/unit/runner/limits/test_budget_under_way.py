"""A budget with room for some of the jobs that are sent at once: those go out, the others do not."""

from decimal import Decimal
from pathlib import Path

import anyio

from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.workers.edge.submit import submit
from tests.support.scripted import PRICE
from tests.support.virtual_time import virtual
from tests.support.world import world


@virtual
async def test_what_has_its_money_is_sent(tmp_path: Path) -> None:
    """Found by the simulation: each of them gave its place back when the next one did not fit, for ever."""
    async with world(tmp_path, "a", "b", "c", budget=PRICE * 2 + Decimal("0.01")) as w:
        async with anyio.create_task_group() as tasks:
            for key in ("a", "b", "c"):
                tasks.start_soon(submit, w.run, await w.queued(key))
        assert len(w.provider.asked("submit")) == 2
        assert sorted((await w.states()).values()) == [JobState.QUEUED, JobState.RUNNING, JobState.RUNNING]
        assert [stop.reason for stop in w.stops] == [PauseReason.BUDGET]
        assert w.run.limits.budget.committed == PRICE * 2
