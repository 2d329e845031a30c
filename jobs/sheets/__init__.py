"""Sheets: the user's files, read into jobs that may be loaded, or into every problem at once.

`sheet` opens a `source`, whose format `readers` know; `opened` is what they hand over, as `row` after `row`.
`planning` makes a `planned` job of each row. Below them: `files` (bytes to text), `trees` and `documents`
(JSON and YAML), `families` (many jobs written as one), `images` (files of this computer), `rows` (cells to
inputs, key and priority). A `survey` takes what a pass learns of the sheet as a whole.
"""

from jobs.sheets.planned import PlannedJob
from jobs.sheets.planning import plan
from jobs.sheets.sheet import Sheet, open_sheet
from jobs.sheets.source import SheetSource
from jobs.sheets.survey import Survey

__all__ = ["PlannedJob", "Sheet", "SheetSource", "Survey", "open_sheet", "plan"]
