"""docs/glossary.md against the code: what it names exists, what it calls old does not, no word twice."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.architecture.sources import ROOT, sources

GLOSSARY = "docs/glossary.md"
_IN_BACKTICKS = re.compile(r"`([^`]+)`")
_OF_CODE = re.compile(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*|[A-Z][A-Z_]+")
"""A class, or a constant. A state, a flag and a column are written otherwise."""


def entries(text: str) -> list[list[str]]:
    """The cells of every row of every table: word, is, is not, in older commits."""
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [row for row in cells if row[0] != "word"]


def names_in(*cells: str) -> set[str]:
    """The names of code in backticks."""
    return {name for cell in cells for name in _IN_BACKTICKS.findall(cell) if _OF_CODE.fullmatch(name)}


def faults(text: str) -> list[str]:
    """What the glossary says that is not so."""
    classes, others = defined()
    rows = entries(text)
    words = Counter(row[0] for row in rows)
    return [
        *(f"{row[0]}: has {len(row)} cells, not 4" for row in rows if len(row) != 4),
        *(f"{word}: stands twice" for word, times in words.items() if times > 1),
        *(
            f"{row[0]}: {name} does not exist"
            for row in rows
            for name in names_in(*row[:3]) - classes - others
        ),
        *(f"{row[0]}: {name} still exists" for row in rows for name in names_in(*row[3:]) & classes),
    ]


@cache
def defined() -> tuple[frozenset[str], frozenset[str]]:
    """All classes of the project, and all other names of its modules: aliases and constants."""
    classes, others = set[str](), set[str]()
    for source in sources().values():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                classes.add(node.name)
            elif isinstance(node, ast.Assign):
                others.update(target.id for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                others.add(node.target.id)
    return frozenset(classes), frozenset(others)


def test_the_glossary_is_true() -> None:
    """And long enough to be read."""
    text = (ROOT / GLOSSARY).read_text(encoding="utf-8")
    assert faults(text) == []
    assert len(entries(text)) >= 30


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("| queue | `JobQueue`, `Unheard` | | |", "queue: Unheard does not exist"),
        ("| state | `MOVES`, `NO_MOVES` | | |", "state: NO_MOVES does not exist"),
        ("| queue | what is next | | `JobQueue` |", "queue: JobQueue still exists"),
        ("| queue | `JobQueue` | |", "queue: has 3 cells, not 4"),
        ("| queue | `JobQueue` | | |\n| queue | `JobQueue` | | |", "queue: stands twice"),
    ],
)
def test_a_wrong_entry_is_seen(line: str, fault: str) -> None:
    """A class that was renamed, one that was meant to go, a word with two meanings."""
    assert faults(line) == [fault]
