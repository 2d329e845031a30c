"""The first schema."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE batch (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    sheet VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    created_at VARCHAR(32) NOT NULL,
    last_run_at VARCHAR(32),
    generation INTEGER NOT NULL,
    paused_reason VARCHAR,
    paused_detail VARCHAR,
    paused_since VARCHAR(32),
    prices JSON DEFAULT '{}' NOT NULL,
    budget BIGINT,
    concurrency INTEGER,
    rate FLOAT,
    PRIMARY KEY (id),
    CONSTRAINT batch_name UNIQUE (name),
    CONSTRAINT batch_paused_reason_and_since CHECK ((paused_reason IS NULL) = (paused_since IS NULL)),
    CONSTRAINT batch_paused_reason CHECK (paused_reason IS NULL OR paused_reason IN ('token', 'balance', 'budget', 'outage', 'disk', 'guard', 'person'))
)
    """,
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
    CONSTRAINT job_attempts CHECK (state NOT IN ('submitting', 'running', 'fetching', 'succeeded', 'unconfirmed') OR attempts > 0),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
)
    """,
    """
CREATE INDEX job_by_state ON job (batch_id, state, id)
    """,
    """
CREATE UNIQUE INDEX job_folder ON job (batch_id, folder COLLATE NOCASE)
    """,
    """
CREATE INDEX job_in_sheet_order ON job (batch_id, current, position)
    """,
    """
CREATE TABLE run (
    id INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    host VARCHAR NOT NULL,
    started_at VARCHAR(32) NOT NULL,
    ended_at VARCHAR(32),
    exit_code INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
)
    """,
    """
CREATE TABLE attempt (
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    payload_sha256 VARCHAR NOT NULL,
    started_at VARCHAR(32) NOT NULL,
    answered_at VARCHAR(32),
    outcome VARCHAR NOT NULL,
    request_id VARCHAR,
    automatic BOOLEAN NOT NULL,
    urls JSON,
    cost_usd BIGINT,
    estimate_usd BIGINT,
    ended VARCHAR,
    detail VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT attempt_number UNIQUE (job_id, number),
    CONSTRAINT attempt_request_id UNIQUE (request_id),
    CONSTRAINT attempt_outcome CHECK (outcome IN ('intent', 'accepted', 'refused', 'unanswered', 'resubmitted', 'discarded')),
    CONSTRAINT attempt_accepted CHECK ((outcome = 'accepted') = (request_id IS NOT NULL)),
    CONSTRAINT attempt_request_id_length CHECK (length(request_id) BETWEEN 1 AND 128),
    FOREIGN KEY(job_id) REFERENCES job (id)
)
    """,
    """
CREATE TABLE artifact (
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    attempt_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content_type VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT artifact_number UNIQUE (attempt_id, number),
    CONSTRAINT artifact_size CHECK (bytes > 0 AND width > 0 AND height > 0),
    FOREIGN KEY(job_id) REFERENCES job (id),
    FOREIGN KEY(attempt_id) REFERENCES attempt (id)
)
    """,
    """
CREATE INDEX artifact_by_job ON artifact (job_id)
    """,
)


def upgrade() -> None:
    """Create every table and index."""
    for statement in STATEMENTS:
        op.execute(statement)
