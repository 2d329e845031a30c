"""The tables of what a run's manifests are made of: the next run writes only what has changed since."""

from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint
from sqlmodel import Field

from jobs.store.sql.stored import Stored


class KeptManifest(Stored, table=True):
    """The manifests of a batch's last run. A batch without a row has none, and its changes need no mark."""

    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), primary_key=True))
    written: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Their blocks; NULL while they are being written, and where a run died of it."""


class ChangedBlock(Stored, table=True):
    """A block of which a job has changed since then (`jobs/store/sql/blocks.py`). In PostgreSQL it may stand
    there several times."""

    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "block").ddl_if(dialect="sqlite"),
        Index("changedblock_of_batch", "batch_id").ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), primary_key=True))
    block: int = Field(primary_key=True)
    """The jobs of so many positions of the sheet; below 0 it is the columns of all."""
