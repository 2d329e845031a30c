"""Accounts by their names, which tell an API from another and a token from another, and no token."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from jobs.admission import AccountLimits, AccountStanding
from jobs.concurrency import FoundLimit
from jobs.store.accounts import admission
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import ACCOUNT, ACCOUNT_LIMIT, BATCH


class Accounts(StorePart):
    """The accounts of this table: their limits, what is in use of these, and what runs found out."""

    async def enter(self, name: str, batch_id: int) -> AccountStanding:
        """Have the batch be the account's, which is made if it is new; the account as it stands.

        A batch whose token is another one by now goes over to that one's account.
        """
        standing = await self.of_batch(batch_id)
        if standing is None or standing.name != name:
            await self._join(name, batch_id)
            standing = await self.of_batch(batch_id)
            assert standing is not None
        return standing

    @writes
    def _join(self, connection: Connection, name: str, batch_id: int) -> None:
        account_id = _id_of(connection, name)
        connection.execute(update(BATCH).where(BATCH.c.id == batch_id).values(account_id=account_id))

    @reads
    def of_batch(self, connection: Connection, batch_id: int) -> AccountStanding | None:
        """The account of a batch; None before its first run."""
        of_batch = select(ACCOUNT).join(BATCH, BATCH.c.account_id == ACCOUNT.c.id)
        row = connection.execute(of_batch.where(BATCH.c.id == batch_id)).one_or_none()
        return None if row is None else self._standing(connection, row)

    @reads
    def all(self, connection: Connection) -> list[AccountStanding]:
        """Every account that this table knows, in the order in which they came."""
        found = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.id)).all()
        return [self._standing(connection, row) for row in found]

    @writes
    def set_limits(self, connection: Connection, name: str, values: Mapping[str, Any]) -> None:
        """Set limits of an account, which is made if it is new: fields of `AccountLimits`."""
        account_id = _id_of(connection, name)
        again = {"next_at": None} if "per_minute" in values else {}
        if values:
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(**values, **again))

    @writes
    def cool_down(self, connection: Connection, account_id: int, seconds: float) -> None:
        """The API has turned a submit away: nothing of the account is sent for so long."""
        clock = partial(self._database.clock, connection, self._now)
        admission.cool_down(connection, account_id, seconds, clock)

    @reads
    def limit(self, connection: Connection, account: str, models: Collection[str]) -> FoundLimit | None:
        """The lowest that earlier nights found out of these models; None where they did not."""
        found = connection.execute(
            select(ACCOUNT_LIMIT.c.in_flight, ACCOUNT_LIMIT.c.ceiling)
            .join(ACCOUNT, ACCOUNT.c.id == ACCOUNT_LIMIT.c.account_id)
            .where(ACCOUNT.c.name == account, ACCOUNT_LIMIT.c.model.in_(sorted(models)))
            .order_by(ACCOUNT_LIMIT.c.in_flight)
        ).first()
        return None if found is None else FoundLimit(found.in_flight, found.ceiling)

    @writes
    def note_limit(
        self, connection: Connection, account: str, models: Collection[str], limit: FoundLimit
    ) -> None:
        """Note what this night has found out of some models."""
        account_id = _id_of(connection, account)
        values = {"in_flight": limit.in_flight, "ceiling": limit.ceiling, "found_at": self._now()}
        for model in sorted(models):
            its_own = ACCOUNT_LIMIT.c.account_id == account_id, ACCOUNT_LIMIT.c.model == model
            if connection.execute(update(ACCOUNT_LIMIT).where(*its_own).values(values)).rowcount == 0:
                own = {"account_id": account_id, "model": model}
                connection.execute(insert(ACCOUNT_LIMIT).values({**own, **values}))

    def _standing(self, connection: Connection, row: Row[Any]) -> AccountStanding:
        in_flight, _submitting = admission.in_flight(connection, row.id, self._now())
        usd, unpriced = admission.committed(connection, account_id=row.id)
        limits = AccountLimits(row.in_flight_max, row.gate, row.per_minute, row.budget)
        return AccountStanding(row.id, row.name, limits, in_flight, usd, unpriced, row.doubted_since)


def _id_of(connection: Connection, name: str) -> int:
    """The account of this name, which is made if it is new."""
    named = select(ACCOUNT.c.id).where(ACCOUNT.c.name == name)
    account_id = connection.execute(named).scalar_one_or_none()
    if account_id is None:
        connection.execute(insert(ACCOUNT).values(name=name))
        account_id = connection.execute(named).scalar_one()
    return int(account_id)
