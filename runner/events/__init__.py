"""Progress, notices, notifications and the report of a run."""
