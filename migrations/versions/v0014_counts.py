"""Keeps the counts of jobs and of attempts, in rows that a writer keeps right: nobody counts a million jobs."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE jobtally (
    batch_id INTEGER NOT NULL,
    model VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    agreed BOOLEAN NOT NULL,
    linked BOOLEAN NOT NULL,
    held BOOLEAN NOT NULL,
    warned BOOLEAN NOT NULL,
    error_kind VARCHAR NOT NULL,
    jobs INTEGER NOT NULL,
    pictures INTEGER NOT NULL,
    images INTEGER NOT NULL,
    PRIMARY KEY (batch_id, model, state, agreed, linked, held, warned, error_kind),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
) WITHOUT ROWID
    """,
    """
CREATE TABLE attempttally (
    batch_id INTEGER NOT NULL,
    outcome VARCHAR NOT NULL,
    priced BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    cost_usd BIGINT NOT NULL,
    estimate_usd BIGINT NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (batch_id, outcome, priced),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
) WITHOUT ROWID
    """,
    """
INSERT INTO jobtally
SELECT batch_id, model, state, agreed, same_as IS NOT NULL, held IS NOT NULL,
    json_array_length(warnings) > 0, coalesce(error_kind, ''), count(*), sum(pictures),
    sum(CASE WHEN state = 'succeeded' THEN (
        SELECT count(*) FROM artifact JOIN attempt ON attempt.id = artifact.attempt_id
        WHERE attempt.job_id = job.id AND attempt.number = job.attempts
    ) ELSE 0 END)
FROM job WHERE current GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    """,
    """
INSERT INTO attempttally
SELECT job.batch_id, outcome, cost_usd IS NOT NULL, count(*), coalesce(sum(cost_usd), 0),
    coalesce(sum(estimate_usd), 0), sum(cost_usd IS NULL AND estimate_usd IS NULL)
FROM attempt JOIN job ON job.id = attempt.job_id GROUP BY 1, 2, 3
    """,
)


def upgrade() -> None:
    """Count once, and keep from then on."""
    for statement in STATEMENTS:
        op.execute(statement)
