"""Says which runners work on a table of a server, and whose each job and each attempt is."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE runner (
    id INTEGER NOT NULL,
    host VARCHAR NOT NULL,
    pid INTEGER NOT NULL,
    machine VARCHAR,
    begun VARCHAR,
    version VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    batch_id INTEGER,
    since TIMESTAMP NOT NULL,
    beat_at TIMESTAMP NOT NULL,
    steady_since TIMESTAMP NOT NULL,
    lease_until TIMESTAMP NOT NULL,
    progress_at TIMESTAMP NOT NULL,
    dead_at TIMESTAMP,
    why VARCHAR,
    PRIMARY KEY (id)
)
    """,
    "ALTER TABLE job ADD COLUMN runner_id INTEGER",
    "CREATE INDEX job_by_runner ON job (runner_id) WHERE runner_id IS NOT NULL",
    "ALTER TABLE attempt ADD COLUMN runner_id INTEGER",
)


def upgrade() -> None:
    """Make the table and the columns. A file leaves them empty: its lock is the operating system's."""
    is_file = op.get_bind().dialect.name == "sqlite"
    for statement in STATEMENTS:
        op.execute(statement if is_file else _for_a_server(statement))


def _for_a_server(statement: str) -> str:
    its_id = "\n    id INTEGER NOT NULL"  # a line of its own: `pid` ends in it as well
    return statement.replace(its_id, "\n    id SERIAL NOT NULL").replace(
        "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"
    )
