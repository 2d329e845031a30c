"""Adds `dedupe` to the batch: whether only one of several identical jobs is sent."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE batch ADD COLUMN dedupe BOOLEAN DEFAULT 0 NOT NULL",
    "UPDATE batch SET dedupe = 1 WHERE id IN (SELECT batch_id FROM job WHERE same_as IS NOT NULL)",
)


def upgrade() -> None:
    """Set it for batches with linked jobs: somebody asked for it there."""
    for statement in STATEMENTS:
        op.execute(statement)
