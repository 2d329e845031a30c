"""Whether a runner is active on a batch, found out without getting in its way."""

import os
import socket
import sys
from typing import TYPE_CHECKING

from jobs.errors import CannotWrite

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, RunView


async def active_run(store: "Store", batch: "BatchView") -> "RunView | None":
    """The run that is active on the batch just now; None while there is none.

    The lock can be asked only by taking it, which would turn away a runner that begins at that very moment.
    So it is asked only where the process of the latest run is alive, which holds it then.
    """
    run = await store.batches.latest_run()
    if run is None or run.batch != batch.name or not _is_alive(run):
        return None
    from runner.recovery.hold import is_held  # mostly nobody is at work, and there is no lock to ask

    try:
        return run if await is_held(store) else None
    except CannotWrite:  # we may read the table, but not touch the lock
        return run


def _is_alive(run: "RunView") -> bool:
    """Whether the run's process may be alive; on another machine, and on Windows, this is unknown."""
    if sys.platform == "win32" or run.host != socket.gethostname():
        return True
    try:
        os.kill(run.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's process
    return True
