"""Keeps more of each submit: a `uid` of its own, what was answered, and submits that were turned away.

`guards_since` of a batch: from when its guards count.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = """
    id, job_id, number, payload_sha256, started_at, answered_at, outcome, request_id, automatic, urls,
    cost_usd, estimate_usd, ended, detail
"""

STATEMENTS = (
    # SQLite cannot change a CHECK of an existing table, see version 0003.
    "CREATE TABLE attempt_before AS SELECT * FROM attempt",
    "DROP TABLE attempt",
    """
CREATE TABLE attempt (
    id INTEGER NOT NULL,
    uid VARCHAR NOT NULL,
    job_id INTEGER NOT NULL,
    number INTEGER,
    payload_sha256 VARCHAR NOT NULL,
    started_at VARCHAR(32) NOT NULL,
    answered_at VARCHAR(32),
    outcome VARCHAR NOT NULL,
    request_id VARCHAR,
    named_id VARCHAR,
    answer JSON,
    automatic BOOLEAN NOT NULL,
    urls JSON,
    cost_usd BIGINT,
    estimate_usd BIGINT,
    ended VARCHAR,
    detail VARCHAR,
    PRIMARY KEY (id),
    CONSTRAINT attempt_uid UNIQUE (uid),
    CONSTRAINT attempt_number UNIQUE (job_id, number),
    CONSTRAINT attempt_request_id UNIQUE (request_id),
    CONSTRAINT attempt_outcome CHECK (outcome IN ('intent', 'accepted', 'refused', 'unanswered', 'resubmitted', 'discarded', 'turned_away')),
    CONSTRAINT attempt_numbered CHECK ((outcome = 'turned_away') = (number IS NULL)),
    CONSTRAINT attempt_accepted CHECK ((outcome = 'accepted') = (request_id IS NOT NULL)),
    CONSTRAINT attempt_request_id_length CHECK (length(request_id) BETWEEN 1 AND 128),
    CONSTRAINT attempt_named_id_length CHECK (length(named_id) BETWEEN 1 AND 128),
    FOREIGN KEY(job_id) REFERENCES job (id)
)
    """,
    f"INSERT INTO attempt (uid, {COLUMNS}) SELECT lower(hex(randomblob(16))), {COLUMNS} FROM attempt_before",  # noqa: S608 - from here alone
    "DROP TABLE attempt_before",
    "CREATE INDEX attempt_turned_away ON attempt (job_id) WHERE outcome = 'turned_away'",
    "ALTER TABLE batch ADD COLUMN guards_since VARCHAR(32)",
)


def upgrade() -> None:
    """Rebuild the table. Submits of before have no answer on record."""
    for statement in STATEMENTS:
        op.execute(statement)
