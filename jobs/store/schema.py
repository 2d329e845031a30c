"""The tables as SQLAlchemy Core sees them: the statements are written against these."""

from sqlmodel import SQLModel

import jobs.tables  # noqa: F401 - fills the metadata

BATCH = SQLModel.metadata.tables["batch"]
JOB = SQLModel.metadata.tables["job"]
ATTEMPT = SQLModel.metadata.tables["attempt"]
ARTIFACT = SQLModel.metadata.tables["artifact"]
REFERENCE = SQLModel.metadata.tables["reference"]
RUN = SQLModel.metadata.tables["run"]
