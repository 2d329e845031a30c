"""The tables as SQLAlchemy Core sees them: the statements are written against these."""

from sqlalchemy import and_
from sqlmodel import SQLModel

import jobs.store.tables  # noqa: F401 - fills the metadata

BATCH = SQLModel.metadata.tables["batch"]
JOB = SQLModel.metadata.tables["job"]
ATTEMPT = SQLModel.metadata.tables["attempt"]
ARTIFACT = SQLModel.metadata.tables["artifact"]
REFERENCE = SQLModel.metadata.tables["reference"]
RUN = SQLModel.metadata.tables["run"]

TWIN = JOB.alias("twin")
"""The job that is sent in a linked one's stead."""
SAYS_THE_SAME = and_(TWIN.c.model == JOB.c.model, TWIN.c.inputs == JOB.c.inputs)
