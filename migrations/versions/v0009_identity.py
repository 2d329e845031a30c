"""Names the database, so that the journal knows it again, and notes the journal files it agrees with."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE identity (
    id INTEGER NOT NULL,
    uid VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT identity_one CHECK (id = 1),
    CONSTRAINT identity_uid CHECK (length(uid) = 32)
)
    """,
    """
CREATE TABLE settledjournal (
    name VARCHAR NOT NULL,
    stamp VARCHAR NOT NULL,
    PRIMARY KEY (name)
)
    """,
    "INSERT INTO identity (id, uid) VALUES (1, lower(hex(randomblob(16))))",
)


def upgrade() -> None:
    """Draw the name: two databases never have the same one, unless one is a copy of the other."""
    for statement in STATEMENTS:
        op.execute(statement)
