"""Keeps the output folder and the way of uploads with the batch; paths of images are relative to that folder.

The images of earlier versions keep their absolute paths until the next run, which knows its folder.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE batch ADD COLUMN output_dir VARCHAR",
    "ALTER TABLE batch ADD COLUMN upload VARCHAR",
)


def upgrade() -> None:
    """Add both, unknown."""
    for statement in STATEMENTS:
        op.execute(statement)
