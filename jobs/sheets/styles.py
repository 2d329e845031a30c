"""A file of styles, as web UIs keep it: `name,prompt,negative_prompt`. Its `{prompt}` is the subject."""

import re
from collections.abc import Iterator
from dataclasses import replace

from jobs.problems import Problem
from jobs.sheets.opened import OpenedSheet, TableSheet
from jobs.sheets.row import Row
from jobs.sheets.rows.column_names import PROMPT, plain

_COLUMNS = {"name", PROMPT, "negative_prompt"}
_SUBJECT = "{prompt}"
_GAP = re.compile(r"(?:[\s,]*\{prompt\}[\s,]*)+")
_NO_SUBJECT = (
    f"{_SUBJECT} is where the subject of this style goes, and the style is sent without one: "
    "--subject TEXT gives one to every style."
)


def is_styles(opened: OpenedSheet) -> bool:
    """Whether these are styles: a table of exactly their three columns."""
    return isinstance(opened, TableSheet) and {plain(name) for name in opened.columns} == _COLUMNS


def with_subject(opened: OpenedSheet, subject: str | None) -> OpenedSheet:
    """The styles as prompts of a subject. Without one, each says its words alone, with a warning.

    As in the programs that keep such files, a style without a place for the subject follows it. A row without
    words is a heading or a negative style: it is left out.
    """
    (column,) = (name for name in opened.columns if plain(name) == PROMPT)

    def rows() -> Iterator[Row | Problem]:
        for row in opened.rows():
            yield row if isinstance(row, Problem) or column in row.refused else _prompt(row, column, subject)

    return replace(opened, rows=rows)


def _prompt(row: Row, column: str, subject: str | None) -> Row:
    style = row.cells.get(column)
    if not isinstance(style, str):
        return row._replace(left_out=True)
    if subject is not None:
        text = style.replace(_SUBJECT, subject) if _SUBJECT in style else f"{subject}, {style}"
        return row._replace(cells={**row.cells, column: text})
    if _SUBJECT not in style:
        return row
    text = _GAP.sub(lambda gap: ", " if "," in gap.group() else " ", style).strip(" ,")
    cells = {**row.cells, column: text}
    return row._replace(cells=cells, warnings=(*row.warnings, _NO_SUBJECT), left_out=not text)
