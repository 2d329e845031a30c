"""Remembers how many jobs an account takes at once, as a night found out."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE apiaccount (id INTEGER NOT NULL, name VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (name))",
    "CREATE TABLE accountlimit (account_id INTEGER NOT NULL, model VARCHAR NOT NULL,"
    " in_flight INTEGER NOT NULL, ceiling INTEGER, found_at VARCHAR(32) NOT NULL,"
    " PRIMARY KEY (account_id, model), FOREIGN KEY(account_id) REFERENCES apiaccount (id))",
)


def upgrade() -> None:
    """Add both tables, empty."""
    for statement in STATEMENTS:
        op.execute(statement)
