"""Sheets that are documents: what is said once for all jobs, then the jobs."""
