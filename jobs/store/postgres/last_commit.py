"""What each process has committed last, in a row of its own: its next write sees whether that is lost.

A server can go back in time: a replica that lagged takes over, a backup is restored. What was committed there
and told is gone then, intents of paid submits among it, and a row that looks unsent may have been paid for.
Only the process itself writes its row, so nobody who goes on writing there hides that. The row has the number
of the transaction, which grows with each commit of anybody: it also says that somebody has written.
"""

from collections.abc import Iterator
from uuid import uuid4

from sqlalchemy import Connection, text

from jobs.errors import CommitsLost
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import WRITE_LOCK
from jobs.store.sql.retirement import MARKED, read_mark

TABLE = "lastcommit"
_KEPT_DAYS = 400
"""A process that has not written for so long is told that its last commit is lost."""
_BEGIN = text(
    f"WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock({WRITE_LOCK})),"  # noqa: S608 - from here alone
    f" mine AS (INSERT INTO {TABLE} (writer, number)"
    " SELECT :writer, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT) FROM locked"
    " ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = now() RETURNING number)"
    f" SELECT mine.number, (SELECT number FROM {TABLE} WHERE writer = :writer) AS before,"
    f" ({MARKED}) AS retired FROM mine"
)
"""The row is written after the lock was waited for; `before` is as the statement found it, and so is
`retired`: whoever retires the table reads it after all who began to wait before."""
_OWN = text(f"SELECT number FROM {TABLE} WHERE writer = :writer")  # noqa: S608


def tables() -> Iterator[str]:
    """The statements that make the table. A file needs none: what is open there stays what it is."""
    yield (
        f"CREATE TABLE {TABLE} (\n\twriter VARCHAR PRIMARY KEY,\n\tnumber BIGINT NOT NULL,"
        "\n\tat TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL\n)"
    )


class LastCommit:
    """The last commit of this process, as it knows it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._writer = uuid4().hex
        self._expected: set[int | None] = {None}
        """What the row may say: the last commit that was told, or one of which nobody has told the end."""
        self._is_lost = False
        """From then on this process writes nothing that it decides by the table."""

    def begin(self, connection: Connection, *, regardless: bool = False) -> int:
        """Take the write lock, and note this transaction as the last one; its number.

        Raises:
            CommitsLost: what the server has is older than what it once told. Nothing may be decided by it.
            TableRetired: its rows went to another place.
        """
        number, before, retired = connection.execute(_BEGIN, {"writer": self._writer}).one()
        if retired is not None:
            raise read_mark(retired).refusal(str(self._address))
        self._is_lost = self._is_lost or before not in self._expected
        if self._is_lost and not regardless:
            raise CommitsLost(
                f"The database {self._address} has lost what it had kept: it went back in time, as after a "
                "failover to a replica that lagged, or when a backup was restored. Nothing more was sent.",
                hint="End all runs, see that the right server answers, then run `nightsheet resume`: what "
                "the journal has is put back first.",
            )
        return int(number)

    def is_kept(self, number: int) -> None:
        """A transaction was committed."""
        self._expected = {number}

    def may_be_kept(self, number: int) -> None:
        """Nobody knows whether a transaction was committed."""
        self._expected.add(number)

    def is_there(self, connection: Connection, number: int) -> bool:
        """Whether the server has a transaction of this process as its last one."""
        return connection.execute(_OWN, {"writer": self._writer}).scalar_one_or_none() == number


def forget_old(connection: Connection) -> None:
    """Forget processes that have long ended."""
    connection.exec_driver_sql(
        f"DELETE FROM {TABLE} WHERE at < now() - interval '{_KEPT_DAYS} days'"  # noqa: S608
    )
