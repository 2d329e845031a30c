"""Adds the places of local images that jobs name by their content."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE reference (
    id INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    bytes INTEGER NOT NULL,
    media_type VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT reference_place UNIQUE (sha256, path),
    CONSTRAINT reference_sha256 CHECK (length(sha256) = 64),
    CONSTRAINT reference_bytes CHECK (bytes > 0)
)
    """,
)


def upgrade() -> None:
    """Create the table, empty: no job of an older version names a local image."""
    for statement in STATEMENTS:
        op.execute(statement)
