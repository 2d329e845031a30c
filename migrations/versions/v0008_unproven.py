"""Counts the answers in a row that turned a job away and proved nothing, over all runs."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Answers of before are not counted."""
    op.execute("ALTER TABLE job ADD COLUMN unproven INTEGER DEFAULT '0' NOT NULL")
