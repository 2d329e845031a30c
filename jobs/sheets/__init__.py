"""Sheets: the user's files, read into jobs that may be loaded, or into every problem at once."""

from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import plan
from jobs.sheets.sheet import Sheet, open_sheet

__all__ = ["PlannedJob", "Sheet", "open_sheet", "plan"]
