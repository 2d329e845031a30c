"""What the store says to either database: expressions that SQLite and PostgreSQL spell their own way."""
