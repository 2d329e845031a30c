"""Adds what a person decides about images, how they are to be made once more, and what was done on the page."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE decision (
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sha256 VARCHAR,
    verdict VARCHAR,
    stars INTEGER NOT NULL,
    note VARCHAR NOT NULL,
    decided_at VARCHAR(32) NOT NULL,
    source VARCHAR NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT decision_image UNIQUE (job_id, number),
    CONSTRAINT decision_sha256 CHECK ((number = 0) = (sha256 IS NULL)),
    CONSTRAINT decision_verdict CHECK (verdict IS NULL OR verdict IN ('accepted', 'rejected', 'reroll')),
    CONSTRAINT decision_stars CHECK (stars BETWEEN 0 AND 5),
    CONSTRAINT decision_says_something CHECK (verdict IS NOT NULL OR stars > 0 OR note != ''),
    CONSTRAINT decision_source CHECK (source IN ('page', 'cli', 'file')),
    FOREIGN KEY(job_id) REFERENCES job (id)
)
    """,
    """
CREATE TABLE reroll (
    id INTEGER NOT NULL,
    job_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    prompt VARCHAR,
    seed VARCHAR NOT NULL,
    variants INTEGER NOT NULL,
    inputs_patch JSON NOT NULL,
    sheet VARCHAR,
    new_keys JSON,
    made_at VARCHAR(32),
    PRIMARY KEY (id),
    CONSTRAINT reroll_image UNIQUE (job_id, number),
    CONSTRAINT reroll_seed CHECK (seed IN ('new', 'same') OR (seed != '' AND seed NOT GLOB '*[^0-9]*')),
    CONSTRAINT reroll_variants CHECK (variants BETWEEN 1 AND 8),
    CONSTRAINT reroll_made CHECK ((sheet IS NULL) = (made_at IS NULL) AND (sheet IS NULL) = (new_keys IS NULL)),
    FOREIGN KEY(job_id) REFERENCES job (id)
)
    """,
    """
CREATE TABLE action (
    id INTEGER NOT NULL,
    action_id VARCHAR NOT NULL,
    batch_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    told JSON NOT NULL,
    answer JSON NOT NULL,
    done_at VARCHAR(32) NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT action_action_id UNIQUE (action_id),
    FOREIGN KEY(batch_id) REFERENCES batch (id)
)
    """,
)


def upgrade() -> None:
    """Make the tables, empty."""
    for statement in STATEMENTS:
        op.execute(statement)
