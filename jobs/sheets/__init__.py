"""Sheets: the user's files, read into jobs that may be loaded, or into every problem at once.

`sheet` opens a `source`, whose format `readers` know; `opened` is what they hand over, as `row` after `row`.
`planning` makes a `planned` job of each row. Below them: `files` (bytes to text), `trees` and `documents`
(JSON and YAML), `families` (many jobs written as one), `images` (files of this computer), `rows` (cells to
inputs, key and priority). A `survey` takes what a pass learns of the sheet as a whole.

Each name is imported when it is first asked for: settings want a word of `images`, and none of the readers.
"""

from typing import TYPE_CHECKING

from jobs.late_names import late_names

if TYPE_CHECKING:
    from jobs.sheets.planned import PlannedJob
    from jobs.sheets.planning import plan
    from jobs.sheets.sheet import Sheet, open_sheet
    from jobs.sheets.source import SheetSource
    from jobs.sheets.survey import Survey

__all__ = ["PlannedJob", "Sheet", "SheetSource", "Survey", "open_sheet", "plan"]

__getattr__ = late_names(
    __name__,
    {
        "PlannedJob": "jobs.sheets.planned",
        "Sheet": "jobs.sheets.sheet",
        "SheetSource": "jobs.sheets.source",
        "Survey": "jobs.sheets.survey",
        "open_sheet": "jobs.sheets.sheet",
        "plan": "jobs.sheets.planning",
    },
)
