"""Who looks on, and who is told: progress, notices, the report of a run."""
