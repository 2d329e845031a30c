"""Plain text: a prompt a line. Blank lines are left out."""

from collections.abc import Iterator
from contextlib import closing

from jobs.problems import Problem, at
from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.opened import TableSheet, unreadable
from jobs.sheets.readers.csv_sheet import DELIMITERS
from jobs.sheets.row import Row
from jobs.sheets.rows.column_names import FAMILY_PARTS, PROMPT, is_heading
from jobs.sheets.source import SheetSource
from jobs.sheets.text_rules import why_not_text


def open_text(source: SheetSource) -> TableSheet:
    """A sheet of prompts alone. What looks like another format is not taken for one."""
    first = next(_lines(source), None)
    if isinstance(first, tuple) and (other := _another_format(first[1])):
        message = f"The first line looks like {other[0]}, and each line of a text file is a prompt."
        hint = f"Read it as what it is: --format {other[1]}."
        return unreadable(at(source.name, first[0], value=first[1]).problem(message, hint))
    return TableSheet(source.name, rows=lambda: _rows(source), columns=(PROMPT,))


_GOES_ON = (
    "The line ends as if it went on in the next one: each line is a prompt of its own, and is paid for.",
)


def _rows(source: SheetSource) -> Iterator[Row | Problem]:
    for found in _lines(source):
        if isinstance(found, Problem):
            yield found
            continue
        number, text = found
        if sentence := why_not_text(text):
            yield at(source.name, number, column=PROMPT, value=text).problem(sentence)
        else:
            yield Row(number, {PROMPT: text}, warnings=_GOES_ON if text.endswith((",", "\\")) else ())


def _lines(source: SheetSource) -> Iterator[tuple[int, str] | Problem]:
    try:
        with closing(read_lines(source.path, source.encoding)) as lines:
            for number, line in enumerate(lines, 1):
                if text := line.strip():
                    yield number, text
    except BadText as bad:
        yield at(source.name, bad.line).problem(bad.message, bad.hint)


_DOCUMENT = frozenset(("jobs", "defaults", "model_defaults", "image_sets", *FAMILY_PARTS))


def _another_format(line: str) -> tuple[str, str] | None:
    """What a line is the beginning of, in words and as a format."""
    if line.startswith(('{"', "[{", '["')):
        return "JSON", "jsonl" if line.startswith("{") else "json"
    if line.rstrip(" :") in _DOCUMENT and line.endswith(":"):
        return "YAML", "yaml"
    for delimiter in DELIMITERS:
        names = [name.strip().strip('"') for name in line.split(delimiter)]
        if len(names) > 1 and sum(map(is_heading, names)) > len(names) // 2:
            return (
                f"a header with {DELIMITERS[delimiter]} between its names",
                "tsv" if delimiter == "\t" else "csv",
            )
    return None
