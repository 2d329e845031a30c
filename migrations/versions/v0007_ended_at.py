"""Keeps when a submit ended at the API: a job that failed and was queued again has no such time itself."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Submits of before have no time: the guards count them as they did."""
    op.execute("ALTER TABLE attempt ADD COLUMN ended_at VARCHAR(32)")
