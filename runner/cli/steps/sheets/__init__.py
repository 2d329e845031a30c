"""The steps that read a sheet: its plan, its images elsewhere, its copy."""
