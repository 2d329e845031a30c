"""Sheets: the user's files, read into jobs that may be loaded, or into every problem at once."""

from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import plan
from jobs.sheets.sheet import Sheet, open_sheet
from jobs.sheets.source import SheetSource

__all__ = ["PlannedJob", "Sheet", "SheetSource", "open_sheet", "plan"]
