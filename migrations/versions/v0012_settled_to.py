"""Notes how far a journal is settled while a run goes on: a killed night is not read again as a whole."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, unknown."""
    op.execute("ALTER TABLE settledjournal ADD COLUMN settled_to VARCHAR")
