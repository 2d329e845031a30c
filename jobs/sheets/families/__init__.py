"""Families of jobs: written once, one job for each member."""
