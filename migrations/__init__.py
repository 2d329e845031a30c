"""The database's history, applied on opening. Each version is written out in full and never edited again."""

HEAD = "0005"
"""The newest version: a database that has it is opened without loading Alembic."""
