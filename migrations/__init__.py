"""The database's migrations, applied on opening. Each version has literal SQL and is never edited again."""

HEAD = "0016"
"""The newest version. A database of this version is opened without loading Alembic."""
