"""YAML sheets: limits and refusals as problems."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.sheets.readers.yaml_sheet import open_yaml
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource
from jobs.sheets.trees import document_text

Write = Callable[[str, str | bytes], Path]


def test_a_document_becomes_rows(write: Write) -> None:
    """In any encoding that can be told."""
    text = "jobs:\n  - prompt: \u6d77\n"
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        opened = open_yaml(SheetSource(write("a.yaml", data)))
        assert opened.problems == ()
        assert list(opened.rows()) == [Row(2, {"prompt": "\u6d77"}, {"prompt": 2})]


@pytest.mark.parametrize(
    ("data", "row", "message"),
    [
        (b"a: *x", 1, "An alias (*x): aliases are not read."),
        (b"jobs:\n- prompt: M\xfcller", 2, "The line is not UTF-8: byte 0xFC at 12."),
        (b"a: \0", 1, "A NUL character: this is not a text file."),
    ],
)
def test_what_cannot_be_read_is_one_problem(write: Write, data: bytes, row: int, message: str) -> None:
    """And no row."""
    opened = open_yaml(SheetSource(write("a.yaml", data)))
    (problem,) = opened.problems
    assert (problem.row, problem.message) == (row, message)
    assert list(opened.rows()) == []


def test_a_repeated_name_is_a_problem(write: Write) -> None:
    """The rest is read."""
    opened = open_yaml(SheetSource(write("a.yaml", "jobs:\n  - prompt: a\n    prompt: b\n")))
    (problem,) = opened.problems
    assert (problem.row, problem.column, problem.message) == (3, "prompt", "This name appears twice here.")
    assert len(list(opened.rows())) == 1


def test_a_document_that_is_too_large_is_not_parsed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is held in memory as a whole."""
    monkeypatch.setattr(document_text, "MOST_BYTES", 2_000_000)
    opened = open_yaml(SheetSource(write("a.yaml", b"#" * 2_000_001)))
    assert opened.problems[0].message == "The file is larger than 2 MB."
