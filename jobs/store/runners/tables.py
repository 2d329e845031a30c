"""The table of the runners: each process that works on a server's table has a row there."""

from datetime import datetime

from sqlalchemy import TIMESTAMP, Column, Integer
from sqlmodel import Field

from jobs.store.sql.stored import Stored

_AT = TIMESTAMP(timezone=True)


class Runner(Stored, table=True):
    """A process that works on the table of a server. All times are the server's own.

    Whether it may commit an intent is told by `dead_at` alone, which is set under the store's write lock. The
    lease tells others only when they may set that.
    """

    id: int | None = Field(default=None, primary_key=True)
    """One more with each: a runner that lost its row takes another one."""
    host: str
    pid: int
    machine: str | None = None
    """Names the machine, its boot and its process space; NULL where it cannot be told."""
    begun: str | None = None
    """When the process began, as its machine counts: another one may get its number."""
    version: str
    note: str
    """What it says of itself, as JSON."""
    batch_id: int | None = Field(default=None, sa_column=Column(Integer))
    """The batch that it works on; NULL between two."""
    since: datetime = Field(sa_column=Column(_AT, nullable=False))
    beat_at: datetime = Field(sa_column=Column(_AT, nullable=False))
    steady_since: datetime = Field(sa_column=Column(_AT, nullable=False))
    """As `since`: nothing reads it."""
    lease_until: datetime = Field(sa_column=Column(_AT, nullable=False))
    progress_at: datetime = Field(sa_column=Column(_AT, nullable=False))
    """When it was last seen to do something, besides beating."""
    dead_at: datetime | None = Field(default=None, sa_column=Column(_AT))
    """From then on it commits no intent, and what it had in hand is another one's to take up."""
    why: str | None = None
    """It ended, its lease was over, or its process was found dead."""
