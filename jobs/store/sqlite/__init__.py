"""All that knows the database is SQLite: connections and group commit, migrations, a shell's completion."""
