"""Alembic's entry point: runs the versions on the caller's connection, inside the caller's transaction."""

from alembic import context

# The caller's transaction spans all versions, so a failed upgrade leaves the file unchanged.
context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
