"""Remembers what a run's manifests are made of, and where the table has changed since they were written."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE keptmanifest (
    batch_id INTEGER NOT NULL,
    written JSON,
    PRIMARY KEY (batch_id),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
)
    """,
    """
CREATE TABLE changedblock (
    batch_id INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (batch_id, block),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
) WITHOUT ROWID
    """,
)


def upgrade() -> None:
    """Make the tables, empty: the next run writes its manifests whole."""
    for statement in STATEMENTS:
        op.execute(statement)
