"""All that knows the database is PostgreSQL."""
