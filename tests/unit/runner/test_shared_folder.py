"""Two runs at once over one output folder, from two databases: neither takes anything from the other."""

from pathlib import Path

import anyio

from jobs.states import JobState
from runner.downloads.incoming import MOST_IN_MEMORY
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.events.report import RunReport
from tests.support.night import night
from tests.support.tables import select
from tests.support.virtual_time import virtual


@virtual
async def test_neither_sweeps_what_the_other_downloads(tmp_path: Path) -> None:
    """The second begins while the first is downloading: its halves stay, and nothing pauses."""
    slow = Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.DRIP, count=2 * MOST_IN_MEMORY)
    async with night(tmp_path, faults=[slow], look_seconds=1) as w:
        reports: dict[str, RunReport] = {}
        path = w.sheet(3)
        folder = tmp_path / "outputs" / "sheet"

        async def run(database: str) -> None:
            reports[database] = await w.run(path, db=tmp_path / database, again=True)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, "a.db")
            while not (halves := list(folder.rglob("*.part"))):
                await w.clock.sleep(1)
            tasks.start_soon(run, "b.db")
            await w.clock.sleep(10)
            assert all(half.exists() for half in halves)
        for database in ("a.db", "b.db"):
            assert reports[database].exit_code == 0
            states = select(tmp_path / database, "SELECT state, count(*) AS n FROM job GROUP BY state")
            assert states == [{"state": JobState.SUCCEEDED, "n": 3}]
        assert list(folder.rglob("*.part")) == []
