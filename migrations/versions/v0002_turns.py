"""The order in which jobs are claimed is no longer that of loading alone."""

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
    """Every job that is there has the same turn: their order stays as it was."""
    for statement in STATEMENTS:
        op.execute(statement)
