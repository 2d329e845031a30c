"""Whether one of several jobs that say the same is sent for all stays with the batch."""

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
    """Where jobs are linked, somebody has asked for it."""
    for statement in STATEMENTS:
        op.execute(statement)
