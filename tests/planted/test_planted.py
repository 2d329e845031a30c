"""The planted bugs themselves: each still has its place in the code, and its tests are there.

Planting them all takes minutes: `python -m tests.planted`.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.planted.anchor import anchored
from tests.planted.bug import BUGS, ROOT, SUFFIX, Bug, DoesNotApply, Place, all_bugs, read, write

AT_LEAST = 50


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of a file's test functions."""
    found = ast.parse(path.read_text()).body
    functions = (node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@pytest.mark.parametrize("bug", all_bugs(), ids=lambda bug: bug.name)
def test_a_bug_can_be_planted_and_its_tests_are_there(bug: Bug) -> None:
    """A change of the code takes its planted bugs along."""
    for path, text in bug.edited(ROOT).items():
        assert text != path.read_text()
    for test in bug.tests:
        file, _, name = test.partition("::")
        assert name in names_in(ROOT / file), test


def test_there_are_enough() -> None:
    """And nothing else lies among them."""
    assert len(all_bugs()) >= AT_LEAST
    assert {path.suffix for path in BUGS.iterdir()} == {SUFFIX}


def test_a_place_that_has_changed_is_told(tmp_path: Path) -> None:
    """Neither what is gone nor what is there twice is planted by guess."""
    (tmp_path / "code.py").write_text("x = 1\ny = 1\nx = 1\n")
    for was in ("z = 1\n", "x = 1\n"):
        bug = Bug("b", "s", ("t",), (Place("code.py", was, "q = 1\n"),))
        with pytest.raises(DoesNotApply, match="not once"):
            bug.edited(tmp_path)


def test_a_bug_is_gone_when_its_turn_is_over(tmp_path: Path) -> None:
    """Whatever happens meanwhile."""
    code = tmp_path / "code.py"
    code.write_text("x = 1\ny = 1\n")
    places = (Place("code.py", "x = 1\n", "x = 2\n"), Place("code.py", "y = 1\n", "y = 2\n"))
    bug = Bug("b", "s", ("t",), places)
    with pytest.raises(KeyError, match="x = 2"), bug.planted(tmp_path):
        raise KeyError(code.read_text())
    assert code.read_text() == "x = 1\ny = 1\n"


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    """Half a place would plant nothing, and look like a bug that is caught."""
    path = tmp_path / "a.bug"
    path.write_text("Says.\n\ncaught by tests/t.py::test_t\n\nin a.py\n<<<\nx\n===\ny\n")
    with pytest.raises(ValueError, match=r"a\.bug"):
        read(path)


CODE = "def f(a: int) -> int:\n    return g(\n        a,\n        b=1,\n    )\n"


@pytest.mark.parametrize(
    ("file", "was", "found"),
    [
        ("jobs/b.py", CODE, Place("jobs/a.py", CODE, "    return 0\n")),
        (
            "jobs/a.py",
            "    return g(a, b=1)\n",
            Place("jobs/a.py", CODE.partition("\n")[2], "    return 0\n"),
        ),
        ("jobs/a.py", "    return h(a)\n", None),
    ],
    ids=["in another file", "with other line breaks", "gone"],
)
def test_a_place_is_found_again(tmp_path: Path, file: str, was: str, found: Place | None) -> None:
    """Where the code has moved or was formatted again; never by guess."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.py").write_text(CODE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_new.py").write_text("async def test_t() -> None:\n    ...\n")
    bug = Bug("b", "s", ("tests/test_old.py::test_t",), (Place(file, was, "    return 0\n"),))
    again, lost = anchored(bug, tmp_path)
    assert again.tests == ("tests/test_new.py::test_t",)
    assert again.places == ((found or bug.places[0]),)
    assert bool(lost) is (found is None)


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    """All of it, to the letter."""
    for bug in all_bugs():
        path = tmp_path / f"{bug.name}{SUFFIX}"
        path.write_text((BUGS / path.name).read_text())
        write(bug, tmp_path)
        assert read(path) == bug
