"""The parts of a document: batch, model, defaults, image sets, jobs."""

from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets.documents.document import open_document
from jobs.sheets.opened import DocumentSheet
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource
from jobs.sheets.trees.yaml_tree import read_tree

PARTS = "A sheet has the parts batch, model, defaults, model_defaults, image_sets and jobs."


def document(text: str) -> DocumentSheet:
    """A sheet from its text."""
    return open_document(SheetSource(Path("a.yaml")), read_tree(text)[0])


def problems(text: str) -> list[tuple[int | None, str | None, str]]:
    """Line, column and message of every problem in a document."""
    opened = document(text)
    found = [*opened.problems, *(item for item in opened.rows() if isinstance(item, Problem))]
    return [(problem.row, problem.column, problem.message) for problem in found]


def test_every_part_is_read() -> None:
    """In any order, with the lines of what may have to be told later."""
    opened = document(
        "jobs:\n  - prompt: a\n    images: [u, v]\n  - {}\n"
        "batch: ' b '\nmodel: m\ndefaults:\n  size: 2K\n  style: noir\nimage_sets:\n  hero: [https://a.example/1.png]\n"
    )
    assert opened.problems == ()
    assert (opened.batch, opened.batch_line, opened.model, opened.model_line) == ("b", 5, "m", 6)
    assert opened.defaults == Row(8, {"size": "2K", "style": "noir"}, {"size": 8, "style": 9})
    assert opened.image_sets == {"hero": ("https://a.example/1.png",)}
    assert opened.columns == ("size", "style", "prompt", "images")
    assert opened.header_line is None
    assert list(opened.rows()) == [
        Row(2, {"prompt": "a", "images": ("u", "v")}, {"prompt": 2, "images": 3}),
        Row(4, {}),
    ]


@pytest.mark.parametrize(
    "text", ["jobs: []", "jobs:", "batch: x", "jobs: []\ndefaults:\nimage_sets:\nmodel:\nbatch: ''"]
)
def test_parts_may_be_empty_or_absent(text: str) -> None:
    """Then there is simply no job."""
    opened = document(text)
    assert opened.problems == ()
    assert list(opened.rows()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("just text", [(1, None, "The sheet does not begin with a name.")]),
        ("batch: [a]", [(1, "batch", "The batch is a single text.")]),
        ('model: "\\0"', [(1, "model", "The text holds a NUL character.")]),
        ("defaults: 2K", [(1, "defaults", "Defaults are names with values.")]),
        ("defaults: [a]", [(1, "defaults", "Defaults are names with values.")]),
        ("defaults:\n  id: a", [(2, "id", "An id is one job's own name: it cannot be a default.")]),
        (
            "defaults:\n  matrx: {}",
            [(2, "matrx", "An object cannot stand here: a text, a number or a list is needed.")],
        ),
        ("image_sets: [a]", [(1, "image_sets", "Image sets are names, each with a list of pictures.")]),
        ("jobs: a", [(1, "jobs", "The jobs are a list.")]),
        ("jobs: {prompt: a}", [(1, "jobs", "The jobs are a list.")]),
        (
            "jobs:\n  - a pier\n  - [b]",
            [(2, None, "A job is names with values."), (3, None, "A job is names with values.")],
        ),
    ],
)
def test_parts_of_the_wrong_kind_are_told(text: str, expected: list[tuple[int, str | None, str]]) -> None:
    """Where they stand, and what they should be."""
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("part", "hint"),
    [
        ("job", "Did you mean jobs?"),
        ("default", "Did you mean defaults?"),
        ("x", PARTS),
        ("size", "Write it under defaults, where it holds for all jobs, or into a job."),
        ("seed", "Write it under defaults, where it holds for all jobs, or into a job."),
    ],
)
def test_an_unknown_part_is_told(part: str, hint: str) -> None:
    """With the one that was meant."""
    (problem,) = document(f"batch: b\n{part}: []").problems
    assert (problem.row, problem.column, problem.message) == (2, part, "A sheet has no such part.")
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("value", "line", "message"),
    [
        ("{a: b}", 3, "An object cannot stand here: a text, a number or a list is needed."),
        ("\n    - u\n    - [v]", 5, "A list holds texts only: none of them empty, no lists, no objects."),
        ("\n    - u\n    - ~", 5, "A list holds texts only: none of them empty, no lists, no objects."),
        ("\n    - u\n    - ' '", 5, "A list holds texts only: none of them empty, no lists, no objects."),
        ('["a\\0"]', 3, "The text holds a NUL character."),
        ('"a\\0"', 3, "The text holds a NUL character."),
    ],
)
def test_a_value_that_is_no_cell_is_told_on_its_line(value: str, line: int, message: str) -> None:
    """The rest of the row is read, and it knows what could not be."""
    opened = document(f"jobs:\n  - prompt: a\n    images: {value}")
    problem, row = opened.rows()
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column, problem.message) == (line, "images", message)
    assert isinstance(row, Row)
    assert (row.cells, row.refused) == ({"prompt": "a"}, {"images"})


def test_a_model_among_the_defaults_is_the_sheet_s() -> None:
    """Unless the sheet names one itself."""
    inner = document("defaults:\n  model: ' m '\njobs: []")
    assert (inner.model, inner.model_line) == ("m", 2)
    outer = document("model: n\ndefaults: {model: m}\njobs: []")
    assert (outer.model, outer.model_line) == ("n", 1)
    assert document("defaults: {model: [m]}\njobs: []").model is None


def test_empty_values_are_absent() -> None:
    """Nothing, null, blanks and the empty list."""
    (row,) = document("jobs:\n  - {a: , b: ~, c: ' ', d: [], e: x}").rows()
    assert isinstance(row, Row)
    assert row.cells == {"e": "x"}


def test_problems_found_earlier_come_first() -> None:
    """What the parser told stays told."""
    earlier = Problem("a.yaml", 1, "a", None, "This name appears twice here.")
    opened = open_document(SheetSource(Path("a.yaml")), read_tree("x: 1")[0], [earlier])
    assert opened.problems[0] is earlier
    assert len(opened.problems) == 2
