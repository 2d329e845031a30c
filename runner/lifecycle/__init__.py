"""A run from agreement to report: its stages, wired once."""
