"""Says who works on the database, and counts who ever has: on a server that is what fences a runner off."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE identity ADD COLUMN epoch INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE identity ADD COLUMN holder VARCHAR",
)


def upgrade() -> None:
    """Add the columns. A file leaves them as they are: its lock is the operating system's."""
    for statement in STATEMENTS:
        op.execute(statement)
