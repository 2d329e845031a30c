"""Adds `turn`: jobs are claimed by priority, no longer only in the order of loading."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE job ADD COLUMN turn FLOAT DEFAULT '0' NOT NULL",
    "CREATE INDEX job_in_turn ON job (batch_id, state, agreed, turn, id)",
)


def upgrade() -> None:
    """Give every existing job the same turn: their order does not change."""
    for statement in STATEMENTS:
        op.execute(statement)
