"""Opened sheets."""

from jobs.problems import at
from jobs.sheets.opened import DocumentSheet, TableSheet, image_sets_of, unreadable


def test_a_refused_sheet_has_its_problem_and_no_row() -> None:
    """Nothing can be read in it, as often as one tries."""
    problem = at("a.csv", 1).problem("The sheet is empty.")
    opened = unreadable(problem)
    assert opened.problems == (problem,)
    assert opened.file == "a.csv"
    assert list(opened.rows()) == list(opened.rows()) == []


def test_only_a_document_has_image_sets() -> None:
    """A table has no place to name them."""
    sets = {"hero": ("https://a.example/1.png",)}
    document = DocumentSheet("a.yaml", lambda: iter(()), ("prompt",), image_sets=sets)
    assert image_sets_of(document) == sets
    assert image_sets_of(TableSheet("a.csv", lambda: iter(()), ("prompt",))) == {}
