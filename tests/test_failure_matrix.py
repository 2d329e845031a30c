"""docs/failures.md: no row is missing, and each names tests that are there and are run."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from jobs.failures import FailureKind
from jobs.pauses import PauseReason

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "failures.md"
ROWS = [str(number) for number in range(1, 87)]
THREATS = [f"T{number}" for number in range(1, 21)]

_TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::([a-z0-9_]+)`")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(pattern: str) -> dict[str, list[str]]:
    """The cells of the rows whose number fits, by it; a row that is there twice is an error."""
    found = [cells(line) for line in DOCS.read_text().splitlines() if re.match(rf"\| {pattern} \|", line)]
    twice = [number for number, times in Counter(row[0] for row in found).items() if times > 1]
    assert not twice, f"twice: {twice}"
    return {row[0]: row[1:] for row in found}


@cache
def names_in(path: str) -> frozenset[str]:
    """The test functions of a file that pytest collects by its name."""
    file = ROOT / path
    if not (file.is_file() and file.name.startswith("test_")):
        return frozenset()
    found = (node for node in ast.parse(file.read_text()).body)
    functions = (node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_failure_has_its_row() -> None:
    """In their order, with something in every column."""
    rows = table(r"\d+")
    assert list(rows) == ROWS
    assert [number for number, row in rows.items() if len(row) != 5] == []
    assert [number for number, row in rows.items() if not all(row)] == []


def test_every_threat_has_its_row() -> None:
    """With its defence."""
    rows = table(r"T\d+")
    assert list(rows) == THREATS
    assert [number for number, row in rows.items() if len(row) != 3 or not all(row)] == []


@pytest.mark.parametrize("pattern", [r"\d+", r"T\d+"])
def test_every_row_names_tests_that_are_there(pattern: str) -> None:
    """One at least, in full, and nothing beside the names that only looks like one."""
    wrong = []
    for number, row in table(pattern).items():
        named = _TEST.findall(row[-1])
        if not named or _TEST.sub("", row[-1]).strip():
            wrong.append(f"{number}: no test, or an odd name: {row[-1]}")
        wrong += [f"{number}: {path}::{name}" for path, name in named if name not in names_in(path)]
    assert wrong == []


def test_every_pause_and_every_kind_of_failure_is_told() -> None:
    """A reader who meets the word in `status` or in a manifest finds it here."""
    text = DOCS.read_text()
    chosen_by_a_person = {FailureKind.DISCARDED}
    words = [*PauseReason, *(kind for kind in FailureKind if kind not in chosen_by_a_person)]
    assert [str(word) for word in words if f"`{word}`" not in text] == []


def test_what_a_person_sees_leads_to_its_rows() -> None:
    """Each pause and each kind stands in the table at the beginning, and the rows that it names are there."""
    _, _, after = DOCS.read_text().partition("## Find it by what you see")
    seen = [cells(line) for line in after.partition("## ")[0].splitlines() if line.startswith("| ")][1:]
    named = " ".join(row[0] for row in seen)
    chosen = {FailureKind.DISCARDED, FailureKind.CANCELLED}
    words = [*PauseReason, *(kind for kind in FailureKind if kind not in chosen)]
    assert [str(word) for word in words if f"`{word}`" not in named] == []
    rows = [int(number) for row in seen for number in re.findall(r"\d+", row[3])]
    assert rows
    assert {str(number) for number in rows} <= set(ROWS)


def test_a_wrong_name_would_be_seen() -> None:
    """Neither a helper nor a method nor a file that is not there counts."""
    assert "test_a_wrong_name_would_be_seen" in names_in("tests/test_failure_matrix.py")
    assert "cells" not in names_in("tests/test_failure_matrix.py")
    assert names_in("tests/support/world.py") == names_in("tests/none.py") == frozenset()
