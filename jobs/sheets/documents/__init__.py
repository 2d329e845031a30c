"""Sheets that are documents: values for all jobs, then the jobs."""
