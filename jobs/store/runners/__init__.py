"""The runners that work on a table of a server, and whose each job is. A file has one runner, and no row."""
