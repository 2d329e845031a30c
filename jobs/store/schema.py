"""The tables as SQLAlchemy Core sees them: the statements are written against these."""

from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlmodel import SQLModel

import jobs.store.tables  # noqa: F401 - fills the metadata
from jobs.states import JobState

BATCH = SQLModel.metadata.tables["batch"]
JOB = SQLModel.metadata.tables["job"]
ATTEMPT = SQLModel.metadata.tables["attempt"]
ARTIFACT = SQLModel.metadata.tables["artifact"]
REFERENCE = SQLModel.metadata.tables["reference"]
RUN = SQLModel.metadata.tables["run"]

TWIN = JOB.alias("twin")
"""The job that is sent in a linked one's stead."""
SAYS_THE_SAME = and_(TWIN.c.model == JOB.c.model, TWIN.c.inputs == JOB.c.inputs)


def to_send(batch_id: int) -> list[ColumnElement[Any]]:
    """What is queued and would be sent: in the sheet, and not waiting for another's result."""
    return [
        JOB.c.batch_id == batch_id,
        JOB.c.state == JobState.QUEUED,
        JOB.c.current,
        JOB.c.same_as.is_(None),
    ]
