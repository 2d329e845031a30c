"""Alembic's entry: runs the versions on the one connection, inside the one transaction, it is handed."""

from alembic import context

# The caller's transaction spans every version, so that a failed upgrade leaves the file as it was.
context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
