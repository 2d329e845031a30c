"""All that knows the database is SQLite: connections, transactions, migrations, a shell's completion."""

APPLICATION_ID = 0x4E534854
"""`PRAGMA application_id` of Nightsheet's databases ("NSHT"): other SQLite files do not have it."""
