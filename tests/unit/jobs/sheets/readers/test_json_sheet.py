"""JSON sheets."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets.opened import DocumentSheet
from jobs.sheets.readers.json_sheet import open_json
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource

Write = Callable[[str, str | bytes], Path]


def test_a_list_of_jobs_is_a_sheet(write: Write) -> None:
    """Each on the line where it begins."""
    opened = open_json(
        SheetSource(write("a.json", '[\n {"id": "a", "count": 3.0},\n {"prompt": "x",\n  "images": ["u"]}]'))
    )
    assert opened.problems == ()
    assert opened.columns == ("id", "count", "prompt", "images")
    first, second = opened.rows()
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.cells) == (2, {"id": "a", "count": "3.0"})
    assert (second.line_of("images"), second.cells) == (4, {"prompt": "x", "images": ("u",)})


def test_a_document_is_a_sheet_as_in_yaml(write: Write) -> None:
    """With all its parts."""
    text = '{"batch": "b", "model": "m", "defaults": {"size": "2K"}, "jobs": [{"prompt": "x"}]}'
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        opened = open_json(SheetSource(write("a.json", data)))
        assert opened.problems == ()
        assert isinstance(opened, DocumentSheet)
        assert (opened.batch, opened.model, opened.defaults.cells) == ("b", "m", {"size": "2K"})


def test_jobs_on_one_line_are_counted(write: Write) -> None:
    """As data frames write them: a line that all have in common names none of them."""
    jobs: list[object] = [{"prompt": "a"}, {"prompt": {"no": "text"}, "images": [["x"]]}, "c"]
    for document in (jobs, {"batch": "b", "jobs": jobs}):
        read = list(open_json(SheetSource(write("a.json", json.dumps(document)))).rows())
        assert [(item.row if isinstance(item, Problem) else item.line) for item in read] == [1, 2, 2, 2, 3]
    (only,) = open_json(SheetSource(write("a.json", '\n[{"prompt": "a"}]'))).rows()
    assert isinstance(only, Row)
    assert only.line == 2


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ("[{", 1, "This is not JSON: a name in double quotes is missing."),
        ('"a"', 1, "The sheet does not begin with a name."),
        ('[{"prompt": "a", "prompt": "b"}]', 1, "This name appears twice here."),
        ('{"jbos": []}', 1, "A sheet has no such part."),
    ],
)
def test_what_is_wrong_with_the_document_is_told(write: Write, text: str, row: int, message: str) -> None:
    """In the place where it stands."""
    problem = open_json(SheetSource(write("a.json", text))).problems[0]
    assert (problem.row, problem.message) == (row, message)
