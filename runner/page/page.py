"""What the parts of a page share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import UsageProblem
from runner.clock import Clock
from runner.page.folders import ShownFolders
from runner.page.pace import WritePace
from runner.page.stream import ChangeFeed
from runner.page.thumbs import ThumbMaker

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, RunView


@dataclass(frozen=True, slots=True)
class Page:
    """A page over one database."""

    store: "Store"
    root_of: "Callable[[BatchView], Path]"
    """The output folder of a batch: its images are read below it and nowhere else."""
    clock: Clock
    thumbs: ThumbMaker
    folders: ShownFolders
    feed: ChangeFeed
    active_run: "Callable[[BatchView], Awaitable[RunView | None]]"
    command: Callable[..., str]
    """A command line to type: of a verb and its arguments, for this database."""
    pace: WritePace
    settle: "Callable[[BatchView], Awaitable[None]]"
    """Put back what the journal knows and the table does not, before a person decides about a doubt."""
    folder: Path
    """Where a sheet of re-rolls is written: the folder that the page was opened in."""
    usual: Mapping[str, Any]
    """The `concurrency`, `rate` and `budget` that hold where a batch has none of its own."""

    async def batch(self, name: str) -> "BatchView":
        """The batch of that name.

        Raises:
            UsageProblem: there is none.
        """
        found = await self.store.batches.find(name)
        if found is None:
            raise UsageProblem(f"There is no batch {name!r} in this database.")
        return found

    async def is_at_work(self) -> bool:
        """Whether a run is at work on this database, over whatever batch."""
        run = await self.store.batches.latest_run()
        batch = None if run is None else await self.store.batches.find(run.batch)
        return batch is not None and await self.active_run(batch) is not None
