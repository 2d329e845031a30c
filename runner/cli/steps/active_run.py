"""Whether a runner is at work on a batch, found out without standing in its way."""

import os
import socket
import sys
from typing import TYPE_CHECKING

from jobs.errors import CannotWrite

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, RunView
    from runner.settings import Settings


async def run_at_work(store: "Store", batch: "BatchView", settings: "Settings") -> "RunView | None":
    """The run that is at work on the batch just now; None while there is none.

    The lock can be asked only by taking it, which would turn away a runner that begins at that very moment.
    So it is asked only where the process of the latest run is alive, which has it then.
    """
    run = await store.batches.latest_run()
    if run is None or run.batch != batch.name or not _is_alive(run):
        return None
    from runner.recovery.lock import try_holding

    try:
        with try_holding(settings.database) as free:
            return None if free else run
    except CannotWrite:  # we may read the table, but not touch the lock
        return run


def _is_alive(run: "RunView") -> bool:
    """Whether the run's process may be there; of another machine's, and on Windows, nobody can tell."""
    if sys.platform == "win32" or run.host != socket.gethostname():
        return True
    try:
        os.kill(run.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's process
    return True
