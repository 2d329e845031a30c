"""The tables of the counts that are kept: what a person asks of a million jobs must not need counting them.

A row counts what is alike. Whoever writes to the table keeps it right in the same transaction
(`jobs/store/sql/tallies.py`); a group whose last job has left stays, with nothing in it. In PostgreSQL a
group has several rows, which are to be added up.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint
from sqlmodel import Field

from jobs.store.sql.stored import Stored


class JobTally(Stored, table=True):
    """The sheet's jobs that are alike: how many, the most images they ask for, the images they have."""

    __table_args__ = (
        PrimaryKeyConstraint(
            *("batch_id", "model", "state", "agreed", "linked", "held", "warned", "error_kind")
        ).ddl_if(dialect="sqlite"),
        Index("jobtally_of_batch", "batch_id").ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), primary_key=True))
    model: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    agreed: bool = Field(sa_column=Column(Boolean, primary_key=True))
    linked: bool = Field(sa_column=Column(Boolean, primary_key=True))
    held: bool = Field(sa_column=Column(Boolean, primary_key=True))
    warned: bool = Field(sa_column=Column(Boolean, primary_key=True))
    """Whether they have a warning."""
    error_kind: str = Field(primary_key=True)
    """Empty where they have none."""
    jobs: int
    pictures: int
    images: int
    """On disk, of jobs that have succeeded."""


class AttemptTally(Stored, table=True):
    """Attempts that ended alike: how many, and what they cost in millionths of a dollar."""

    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "outcome", "priced").ddl_if(dialect="sqlite"),
        Index("attempttally_of_batch", "batch_id").ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), primary_key=True))
    outcome: str = Field(primary_key=True)
    priced: bool = Field(sa_column=Column(Boolean, primary_key=True))
    """Whether the API has told their cost."""
    attempts: int
    cost_usd: int = Field(sa_column=Column(BigInteger, nullable=False))
    estimate_usd: int = Field(sa_column=Column(BigInteger, nullable=False))
    unpriced: int
    """Those of which neither a cost nor an estimate is known."""
