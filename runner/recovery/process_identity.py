"""What a process is known by on its machine, so that another one there can tell whether it is gone."""

import os
import socket
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jobs.runners import RunnerIdentity

_PROC = Path("/proc")
_GONE = frozenset("ZX")
"""States of a process that has ended and whose parent has not asked for it yet."""


@cache
def own_identity() -> RunnerIdentity:
    """This process."""
    pid = os.getpid()
    return RunnerIdentity(socket.gethostname(), pid, _machine(), _begun(pid), _version())


def is_gone(runner: RunnerIdentity) -> bool:
    """Whether a process has surely ended. Only of this machine, boot and process space that can be told."""
    here = _machine()
    if here is None or runner.machine != here or runner.begun is None:
        return False
    try:
        os.kill(runner.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's
    found = _stat(runner.pid)
    if found is None:
        return False  # a machine may hide its processes (`hidepid`): then nobody can tell
    return found[0] in _GONE or found[1] != runner.begun


def _machine() -> str | None:
    """Names the boot of the machine and the space of its process numbers; None where neither has a name."""
    with suppress(OSError):
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    return None


def _begun(pid: int) -> str | None:
    """When a process began, in the machine's own ticks; None where none of that number is seen."""
    found = _stat(pid)
    return None if found is None or found[0] in _GONE else found[1]


def _stat(pid: int) -> tuple[str, str] | None:
    """A process's state, and when it began; None where that cannot be read."""
    with suppress(OSError, IndexError):
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        state, *rest = fields.rpartition(")")[2].split()
        return state, rest[18]
    return None


def _version() -> str:
    try:
        return version("nightsheet")
    except PackageNotFoundError:  # from a checkout that is not installed
        return "unknown"
