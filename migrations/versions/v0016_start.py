"""Finds what a start asks for without looking through the whole table: what ended last, and few odd attempts."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE INDEX job_ended ON job (batch_id, finished_at) WHERE finished_at IS NOT NULL",
    "CREATE INDEX attempt_automatic ON attempt (job_id) WHERE automatic = 1",
    "CREATE INDEX attempt_unanswered ON attempt (job_id) WHERE outcome = 'unanswered'",
)


def upgrade() -> None:
    """Add the indexes."""
    for statement in STATEMENTS:
        op.execute(statement)
