"""The tables as objects of SQLAlchemy Core. All statements use these."""

from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column
from sqlmodel import SQLModel

import jobs.store.accounts.tables
import jobs.store.bulk.manifest_tables
import jobs.store.bulk.tally_tables
import jobs.store.page.tables
import jobs.store.postgres.dialect
import jobs.store.runners.tables
import jobs.store.sqlite.dialect
import jobs.store.tables  # noqa: F401 - all fill the metadata, or say how a database writes it
from jobs.states import JobState
from jobs.store.sql.expressions import json_member

BATCH = SQLModel.metadata.tables["batch"]
JOB = SQLModel.metadata.tables["job"]
ATTEMPT = SQLModel.metadata.tables["attempt"]
ARTIFACT = SQLModel.metadata.tables["artifact"]
DECISION = SQLModel.metadata.tables["decision"]
REROLL = SQLModel.metadata.tables["reroll"]
ACTION = SQLModel.metadata.tables["action"]
REFERENCE = SQLModel.metadata.tables["reference"]
RUN = SQLModel.metadata.tables["run"]
IDENTITY = SQLModel.metadata.tables["identity"]
ACCOUNT = SQLModel.metadata.tables["apiaccount"]
ACCOUNT_LIMIT = SQLModel.metadata.tables["accountlimit"]
JOB_TALLY = SQLModel.metadata.tables["jobtally"]
ATTEMPT_TALLY = SQLModel.metadata.tables["attempttally"]
KEPT_MANIFEST = SQLModel.metadata.tables["keptmanifest"]
CHANGED_BLOCK = SQLModel.metadata.tables["changedblock"]
RUNNER = SQLModel.metadata.tables["runner"]
SETTLED_JOURNAL = SQLModel.metadata.tables["settledjournal"]

TWIN = JOB.alias("twin")
"""The job that is sent instead of a linked one."""
WAS_SENT = JOB.c.attempts > literal_column("0")
"""In the very words of the index by fingerprint: SQLite does not take it for a parameter."""
AGAIN = json_member(JOB.c.columns, "again")
"""The text by which a row is another one than the same row without it."""
IS_IDENTICAL = and_(
    TWIN.c.model == JOB.c.model,
    TWIN.c.inputs == JOB.c.inputs,
    json_member(TWIN.c.columns, "again").is_not_distinct_from(AGAIN),
)


def to_send(batch_id: Any) -> list[ColumnElement[Any]]:
    """The conditions for a queued job that would be sent: it is in the sheet, neither linked nor held."""
    return [
        JOB.c.batch_id == batch_id,
        JOB.c.state == JobState.QUEUED,
        JOB.c.current,
        JOB.c.same_as.is_(None),
        JOB.c.held.is_(None),
    ]


def of_batch(batch_id: Any) -> ColumnElement[bool]:
    """The condition for a job of the batch, where it is found by fingerprint, id or images.

    No index by batch fits it: SQLite would take that one for the better.
    """
    condition: ColumnElement[bool] = JOB.c.batch_id + literal_column("0") == batch_id
    return condition
