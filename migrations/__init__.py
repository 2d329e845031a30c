"""The database's migrations, applied on opening. Each version has literal SQL and is never edited again."""

HEAD = "0020"
"""The newest version. A database of this version is opened without loading Alembic."""

BASELINE = "0020"
"""The version that `postgres_baseline.sql` has: PostgreSQL begins there. Later versions are for both."""
