"""Gives an account limits of its own, and a batch its account: all who use one are counted together."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE apiaccount ADD COLUMN in_flight_max INTEGER"
    " CONSTRAINT apiaccount_in_flight_max CHECK (in_flight_max > 0)",
    "ALTER TABLE apiaccount ADD COLUMN gate INTEGER CONSTRAINT apiaccount_gate CHECK (gate > 0)",
    "ALTER TABLE apiaccount ADD COLUMN per_minute FLOAT"
    " CONSTRAINT apiaccount_per_minute CHECK (per_minute > 0)",
    "ALTER TABLE apiaccount ADD COLUMN budget BIGINT CONSTRAINT apiaccount_budget CHECK (budget >= 0)",
    "ALTER TABLE apiaccount ADD COLUMN next_at VARCHAR(32)",
    "ALTER TABLE apiaccount ADD COLUMN cool_until VARCHAR(32)",
    "ALTER TABLE apiaccount ADD COLUMN doubted_since VARCHAR(32)",
    "ALTER TABLE apiaccount ADD COLUMN asked_until VARCHAR(32)",
    "ALTER TABLE batch ADD COLUMN account_id INTEGER REFERENCES apiaccount (id)",
    "CREATE INDEX batch_by_account ON batch (account_id) WHERE account_id IS NOT NULL",
    "CREATE INDEX job_unconfirmed ON job (batch_id, submitted_at) WHERE state = 'unconfirmed'",
)


def upgrade() -> None:
    """Add the columns, without a limit. A batch gets its account with its next run."""
    for statement in STATEMENTS:
        op.execute(statement)
