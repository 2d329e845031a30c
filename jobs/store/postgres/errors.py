"""What is the matter when PostgreSQL refuses: each kind asks for something else."""

from enum import Enum, auto

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from jobs.errors import CannotWrite
from jobs.store.postgres.address import Address


class ServerRefusal(Enum):
    """A kind of refusal."""

    LOST = auto()
    """The connection is gone: a restart, a failover, the network. It is opened again."""
    AGAIN = auto()
    """A deadlock, or a transaction that another one overtook: it is made again."""
    BUSY = auto()
    """Another one holds what is wanted, for too long."""
    FULL = auto()
    """The server has no room, or cannot write."""
    READ_ONLY = auto()
    """The server does not take writes: it is a replica, or is set so."""
    DAMAGED = auto()
    """What the server has is damaged."""
    DEFECT = auto()
    """A constraint, or a value that no column takes: a defect of Nightsheet."""
    OTHER = auto()
    """Anything else."""


class ConnectionLost(CannotWrite):
    """The connection to the server is gone, and did not come back in time."""


_STATES = {
    "40001": ServerRefusal.AGAIN,
    "40P01": ServerRefusal.AGAIN,
    "55P03": ServerRefusal.BUSY,
    "57014": ServerRefusal.BUSY,
    "25006": ServerRefusal.READ_ONLY,
    "25P03": ServerRefusal.LOST,
    "57P01": ServerRefusal.LOST,
    "57P02": ServerRefusal.LOST,
    "57P03": ServerRefusal.LOST,
    "57P05": ServerRefusal.LOST,
    "XX001": ServerRefusal.DAMAGED,
    "XX002": ServerRefusal.DAMAGED,
}
"""By SQLSTATE, whatever the language of the message."""
_CLASSES = {"08": ServerRefusal.LOST, "53": ServerRefusal.FULL, "58": ServerRefusal.FULL}
_DEFECTS = (IntegrityError, DataError, ProgrammingError)
_RAW_DEFECTS = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError)

_SAID = {
    ServerRefusal.LOST: (
        "cannot be reached",
        "See that the server runs and can be reached; then `nightsheet resume`.",
    ),
    ServerRefusal.BUSY: (
        "is busy",
        "Somebody has been writing for long, as a large sheet is loaded. Try again.",
    ),
    ServerRefusal.FULL: ("refuses", "Free some space on the server, then run `nightsheet resume`."),
    ServerRefusal.READ_ONLY: ("takes no writes", "Name the server that does: this one may be a replica."),
    ServerRefusal.DAMAGED: ("is damaged", "Restore it from a backup. The journal has what was sent."),
}


def refusal_of(error: BaseException) -> ServerRefusal:
    """What is the matter. An error without an SQLSTATE is one of the connection."""
    raw = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(raw, "sqlstate", None)
    if state is not None:
        return _STATES.get(state) or _CLASSES.get(state[:2]) or _by_type(error)
    if isinstance(raw, psycopg.OperationalError):
        return ServerRefusal.LOST
    return _by_type(error)


def _by_type(error: BaseException) -> ServerRefusal:
    return ServerRefusal.DEFECT if isinstance(error, (*_DEFECTS, *_RAW_DEFECTS)) else ServerRefusal.OTHER


def told(address: Address, error: Exception) -> Exception:
    """The error for who asked: the driver's own as `CannotWrite`, but for a defect of what is written.

    Of what the server said, the sentence alone: its details quote rows.
    """
    if not isinstance(error, DBAPIError | psycopg.Error):
        return error
    refusal = refusal_of(error)
    if refusal is ServerRefusal.DEFECT:
        return error  # one row may fail, a batch must not pause
    verb, hint = _SAID.get(refusal, ("refuses", "Look into the server's log, then run `nightsheet resume`."))
    kind = ConnectionLost if refusal is ServerRefusal.LOST else CannotWrite
    why = kind(f"The database {address} {verb}: {_sentence(error)}.", hint=hint)
    why.__cause__ = error
    return why


def _sentence(error: DBAPIError | psycopg.Error) -> str:
    raw = error.orig if isinstance(error, DBAPIError) else error
    primary = raw.diag.message_primary if isinstance(raw, psycopg.Error) else None
    lines = str(primary or raw).strip().splitlines() or [type(raw).__name__]
    return lines[0].strip().rstrip(".")
