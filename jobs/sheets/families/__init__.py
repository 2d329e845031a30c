"""Families of jobs: written once, each member a job."""
