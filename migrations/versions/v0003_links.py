"""Adds `same_as`: a job may share the result of an identical one, without a submit of its own."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = """
    id, batch_id, "key", revision, folder, position, "row", generation, current, agreed, turn,
    model, fingerprint, inputs, pictures, columns, warnings, state, available_at, attempts,
    failed_runs, authorised, cancel_requested, error_kind, error_code, error_message, created_at,
    submitted_at, finished_at
"""

STATEMENTS = (
    # SQLite cannot change a CHECK of an existing table. The rows are copied out and back; no table is renamed,
    # because a rename would change the foreign keys that refer to it.
    "CREATE TABLE job_before AS SELECT * FROM job",
    "DROP TABLE job",
    """
CREATE TABLE job (
    id INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    "key" VARCHAR NOT NULL,
    revision INTEGER NOT NULL,
    folder VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    "row" INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    current BOOLEAN NOT NULL,
    agreed BOOLEAN NOT NULL,
    turn FLOAT DEFAULT '0' NOT NULL,
    model VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    inputs VARCHAR NOT NULL,
    pictures INTEGER NOT NULL,
    columns JSON NOT NULL,
    warnings JSON NOT NULL,
    state VARCHAR NOT NULL,
    available_at VARCHAR(32) NOT NULL,
    attempts INTEGER NOT NULL,
    failed_runs INTEGER NOT NULL,
    same_as INTEGER,
    authorised INTEGER NOT NULL,
    cancel_requested BOOLEAN NOT NULL,
    error_kind VARCHAR,
    error_code VARCHAR,
    error_message VARCHAR,
    created_at VARCHAR(32) NOT NULL,
    submitted_at VARCHAR(32),
    finished_at VARCHAR(32),
    PRIMARY KEY (id),
    CONSTRAINT job_key UNIQUE (batch_id, "key", revision),
    CONSTRAINT job_state CHECK (state IN ('queued', 'submitting', 'running', 'fetching', 'succeeded', 'failed', 'cancelled', 'unconfirmed')),
    CONSTRAINT job_error_kind CHECK (error_kind IS NULL OR error_kind IN ('refused', 'moderated', 'remote_failed', 'no_images', 'bad_picture', 'blocked', 'expired', 'lost', 'unconfirmed', 'cancelled', 'discarded')),
    CONSTRAINT job_finished_at CHECK ((state IN ('cancelled', 'failed', 'succeeded')) = (finished_at IS NOT NULL)),
    CONSTRAINT job_error CHECK ((state IN ('failed', 'cancelled', 'unconfirmed')) = (error_kind IS NOT NULL)),
    CONSTRAINT job_attempts CHECK (state NOT IN ('submitting', 'running', 'fetching', 'succeeded', 'unconfirmed') OR attempts > 0 OR (state = 'succeeded' AND same_as IS NOT NULL)),
    CONSTRAINT job_same_as CHECK (same_as IS NULL OR (attempts = 0 AND NOT agreed)),
    FOREIGN KEY(batch_id) REFERENCES batch (id),
    FOREIGN KEY(same_as) REFERENCES job (id)
)
    """,
    f"INSERT INTO job ({COLUMNS}) SELECT {COLUMNS} FROM job_before",  # noqa: S608 - from here alone
    "DROP TABLE job_before",
    "CREATE INDEX job_by_state ON job (batch_id, state, id)",
    "CREATE INDEX job_in_turn ON job (batch_id, state, agreed, turn, id)",
    "CREATE INDEX job_in_sheet_order ON job (batch_id, current, position)",
    "CREATE UNIQUE INDEX job_folder ON job (batch_id, folder COLLATE NOCASE)",
    "CREATE INDEX job_by_twin ON job (batch_id, same_as) WHERE same_as IS NOT NULL",
)


def upgrade() -> None:
    """Rebuild the table. No existing job is linked."""
    for statement in STATEMENTS:
        op.execute(statement)
