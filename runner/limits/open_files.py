"""How many files and connections a process may have open at once (ulimit -n), and what fits into that."""

import sys
from contextlib import suppress
from typing import NamedTuple

_ASIDE = 40
"""For what a run needs whatever its pace: the job table, the journal, the lock, the interpreter's own."""
LEAST = 32
"""With fewer, a run of one job at a time does not get far."""
_WANTED = 65_536


class Room(NamedTuple):
    """The most jobs in flight, and the most whose images are downloaded at once."""

    in_flight: int
    downloads: int


def open_files() -> int | None:
    """The limit of this process, once it has raised it as far as it may itself. None: it has none."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft < wanted:
        with suppress(ValueError, OSError):  # macOS says that there is no limit, and takes less
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return soft


def room_in(limit: int, *, submit_gate: int, downloads: int, both_ends: bool) -> Room:
    """What fits into so many open files; each is one at least.

    `both_ends`: the server of each connection is in this process as well. A download has a file beside it.
    """
    connection = 2 if both_ends else 1
    download = connection + 1
    left = limit - _ASIDE
    fits = max(1, min(downloads, left // (4 * download)))
    connections = (left - fits * download) // connection
    # Each job in flight polls, and as many as the gate lets through submit beside it, over connections apart.
    return Room(max(1, connections - submit_gate, connections // 2), fits)
