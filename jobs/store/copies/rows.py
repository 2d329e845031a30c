"""The rows of a whole job table, from one connection to another: each with its id, and as it is."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, literal, select, text, update
from sqlmodel import SQLModel

from jobs.errors import CannotWrite
from jobs.images.stored import kept_folder
from jobs.store.bulk.counts import count_again
from jobs.store.runners.ownership import RUNNER_ID
from jobs.store.schema import (
    ACCOUNT,
    ACCOUNT_LIMIT,
    ATTEMPT_TALLY,
    BATCH,
    CHANGED_BLOCK,
    IDENTITY,
    JOB_TALLY,
    KEPT_MANIFEST,
    RUNNER,
    SETTLED_JOURNAL,
)
from jobs.store.sql.retirement import MARK

NOT_COPIED = (IDENTITY, JOB_TALLY, ATTEMPT_TALLY, RUNNER)
"""One row is the table's own and is changed; counts are made of the rows; runners stay where they worked."""
_LAST = (KEPT_MANIFEST, CHANGED_BLOCK)
"""While no manifest is there, nothing that comes is a change of one."""
_OF_ACCOUNTS = (ACCOUNT_LIMIT, ACCOUNT)
"""In the order in which they can be deleted."""
_LIMITS = ("in_flight_max", "gate", "per_minute", "budget")
"""What a person sets of an account."""
_AT_ONCE = 1000


def copied_tables() -> list[Table]:
    """The tables whose rows are copied, in an order in which each row finds what it refers to."""
    known = SQLModel.metadata.sorted_tables
    return [*(table for table in known if table not in (*NOT_COPIED, *_LAST)), *_LAST]


def copy_into(source: Connection, target: Connection, homes: tuple[Path, Path]) -> dict[str, int]:
    """Copy all rows; how many of each table. `homes` are the paths of both databases on this machine.

    What is relative to a database's own folder is told from the other one's. Limits that a person has set for
    an account at the target before anything came stay, whatever the source has.

    Raises:
        CannotWrite: not as many have arrived.
    """
    if target.dialect.name == "sqlite":
        target.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # a job may share a later one's result
    copied, limits = {}, _limits_taken(target)
    for table in copied_tables():
        names = [column.name for column in table.columns]
        sent = _Counted(_rows(source, table, homes))
        _put(target, table, names, sent)
        arrived = target.execute(select(func.count()).select_from(table)).scalar_one()
        if arrived != sent.many:
            raise CannotWrite(f"Of {sent.many} rows of {table.name} {arrived} have arrived.")
        copied[table.name] = sent.many
    _set_again(target, limits)
    return copied


def settle(target: Connection, uid: str) -> None:
    """What follows from the rows: counts, the ids of those to come, and the table's name."""
    for batch_id in target.execute(select(BATCH.c.id)).scalars().all():
        count_again(target, batch_id)
    if target.dialect.name != "sqlite":
        for table in copied_tables():
            column = table.autoincrement_column
            if column is not None:
                target.execute(_next_id(table.name, column.name))
    target.execute(update(IDENTITY).values(uid=uid))


def is_empty(target: Connection) -> bool:
    """Whether nothing was ever put into a job table, but limits of accounts."""
    return not any(
        target.execute(select(literal(1)).select_from(table).limit(1)).first()
        for table in copied_tables()
        if table not in _OF_ACCOUNTS
    )


def _limits_taken(target: Connection) -> list[dict[str, Any]]:
    """Of each account the limits that are set, with its name. The rows make room for the source's."""
    columns = (ACCOUNT.c[name] for name in ("name", *_LIMITS))
    found = target.execute(select(*columns).order_by(ACCOUNT.c.id)).mappings().all()
    for table in _OF_ACCOUNTS:
        target.execute(delete(table))
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def _set_again(target: Connection, limits: list[dict[str, Any]]) -> None:
    for row in limits:
        name, values = row["name"], {key: value for key, value in row.items() if key != "name"}
        same = target.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.name == name)).scalar_one_or_none()
        if same is None:
            next_id = (target.execute(select(func.max(ACCOUNT.c.id))).scalar_one() or 0) + 1
            target.execute(insert(ACCOUNT).values(id=next_id, **row))
        elif values:
            target.execute(update(ACCOUNT).where(ACCOUNT.c.id == same).values(**values))


class _Counted:
    """Rows, counted as they come by."""

    def __init__(self, rows: Iterator[Mapping[str, Any]]) -> None:
        self.many = 0
        self._rows = rows

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            self.many += 1
            yield row


def _rows(source: Connection, table: Table, homes: tuple[Path, Path]) -> Iterator[Mapping[str, Any]]:
    asked = select(table).order_by(*table.primary_key.columns)
    if table is SETTLED_JOURNAL:
        asked = asked.where(table.c.name != MARK)
    streaming = source.execution_options(yield_per=_AT_ONCE)
    for row in streaming.execute(asked).mappings():
        told = dict(row)
        if table is BATCH:
            told["output_dir"] = _told_from(told["output_dir"], homes)
        if RUNNER_ID in told:
            told[RUNNER_ID] = None  # there the number would be another runner's
        yield told


def _told_from(folder: str | None, homes: tuple[Path, Path]) -> str | None:
    """An output folder as the other database keeps it."""
    if folder is None:
        return None
    before, after = homes
    whole = os.path.normpath(os.path.join(before.parent, folder))  # noqa: PTH118 - it may lead up, past links
    return kept_folder(Path(whole), after)


def _put(target: Connection, table: Table, names: list[str], rows: _Counted) -> None:
    if target.dialect.name == "sqlite":
        coming = iter(rows)
        while chunk := [dict(row) for row in islice(coming, _AT_ONCE)]:
            target.execute(insert(table), chunk)
        return
    from jobs.store.postgres.copying import copy_in  # late: the driver is not everywhere

    copy_in(target, table, names, rows)


def _next_id(table: str, column: str) -> Any:
    highest = f"SELECT max({column}) FROM {table}"  # noqa: S608 - from here alone
    return text(
        f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), ({highest}))"
        f" WHERE ({highest}) IS NOT NULL"
    )
