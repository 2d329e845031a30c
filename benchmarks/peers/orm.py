"""The usual way to keep jobs: a SQLModel table, a session for each change, lists of objects.

With what a competent user knows: WAL with synchronous=FULL as here, one session at a time, as SQLite has one
writer, and an index on the state.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, event, func
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.sheets.planned import PlannedJob


class _Base(SQLModel, registry=registry()):
    """Tables of their own, beside the product's in the same process."""


class Task(_Base, table=True):
    """A row, its state, and what came of it."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    position: int
    state: str = Field(default="queued", index=True)
    model: str
    inputs: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    fingerprint: str
    request_id: str | None = None
    urls: list[str] | None = Field(default=None, sa_column=Column(JSON))
    created_at: datetime
    finished_at: datetime | None = None


def tasks_of(rows: Iterable[PlannedJob]) -> list[Task]:
    """Rows of a sheet as objects."""
    now = datetime.now(UTC)
    return [
        Task(
            key=row.key,
            position=row.position,
            model=row.model,
            inputs=row.inputs,
            fingerprint=row.fingerprint,
            created_at=now,
        )
        for row in rows
    ]


def engine_of(path: Path) -> AsyncEngine:
    """The database, with durable commits."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    return engine


class Tasks:
    """The table, as an application uses it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._one = asyncio.Lock()

    async def create(self) -> None:
        """Make the table."""
        async with self._engine.begin() as connection:
            await connection.run_sync(_Base.metadata.create_all)

    async def load(self, rows: Iterable[PlannedJob]) -> None:
        """All rows in one transaction."""
        async with AsyncSession(self._engine) as session:
            session.add_all(tasks_of(rows))
            await session.commit()

    async def change(self, task_id: int, **values: Any) -> None:
        """One change of one row, on disk when this returns."""
        async with self._one, AsyncSession(self._engine) as session:
            task = await session.get(Task, task_id)
            assert task is not None
            for name, value in values.items():
                setattr(task, name, value)
            await session.commit()

    async def queued(self, limit: int) -> list[Task]:
        """What is to be done next."""
        wanted = select(Task).where(Task.state == "queued").order_by(col(Task.id)).limit(limit)
        async with AsyncSession(self._engine) as session:
            return list((await session.exec(wanted)).all())

    async def counts(self) -> dict[str, int]:
        """How many are in each state."""
        async with AsyncSession(self._engine) as session:
            found = await session.exec(select(Task.state, func.count()).group_by(Task.state))
            return dict(found.all())

    async def export(self, path: Path) -> None:
        """A line of JSON a row."""
        async with AsyncSession(self._engine) as session:
            found = (await session.exec(select(Task).order_by(col(Task.id)))).all()
            with path.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(task.model_dump(mode="json")) + "\n" for task in found)
