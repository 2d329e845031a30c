"""The pages that people are sent into the code by: each path on them exists, and the map has every room."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, sources

MAP = "ARCHITECTURE.md"
PAGES = (
    MAP,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "README.md",
    "tests/README.md",
    "docs/glossary.md",
    "docs/going-on.md",
    "docs/manifest.md",
    "docs/recipes.md",
    "docs/scripts.md",
    "docs/performance.md",
    "docs/reliability.md",
    "docs/rehearsals.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "decisions").glob("*.md")),
)
TOPS = ("jobs", "runner", "migrations", "tests", "benchmarks", "docs", "sample_batches", ".ci", ".github")
FOLDED = ("runner/cli/", "runner/emulator/", "runner/providers/")
"""Rooms whose inner rooms the map names in the same line, or leaves to their own face."""

_IN_BACKTICKS = re.compile(r"`([^`\s]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_PATH = re.compile(rf"({'|'.join(map(re.escape, TOPS))})/[\w./*-]*")


def missing(page: Path) -> Iterator[str]:
    """Paths in backticks, from the root, and relative links that lead nowhere. `*` stands for any name."""
    text = page.read_text(encoding="utf-8")
    for word in _IN_BACKTICKS.findall(text):
        path = word.partition("::")[0]
        if _PATH.fullmatch(path) and not any(ROOT.glob(path.rstrip("/"))):
            yield f"{page.name}: `{word}` does not exist"
    for link in _LINK.findall(text):
        if "://" not in link and not (page.parent / link).exists():
            yield f"{page.name}: the link to {link} leads nowhere"


def rooms() -> set[str]:
    """Every folder of the two packages that holds code."""
    folders = {path.rpartition("/")[0] + "/" for path in sources() if not path.endswith("__init__.py")}
    return {folder for folder in folders if folder.count("/") > 1 and not folder.startswith("migrations/")}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_exists(page: str) -> None:
    """A file that moves takes its mentions along."""
    assert list(missing(ROOT / page)) == []


def test_the_map_has_every_room() -> None:
    """A new folder has a line in it."""
    named = set(_IN_BACKTICKS.findall((ROOT / MAP).read_text(encoding="utf-8")))
    assert {room for room in rooms() if room not in named and not room.startswith(FOLDED)} == set()
    assert named.issuperset(FOLDED)


def test_the_index_of_tests_has_every_folder_and_helper() -> None:
    """Whoever adds a helper says when to use it."""
    tests = ROOT / "tests"
    folders = {f"tests/{path.name}/" for path in tests.iterdir() if any(path.glob("**/*.py"))}
    helpers = {f"tests/support/{path.name}" for path in (tests / "support").glob("*.py")}
    named = set(_IN_BACKTICKS.findall((tests / "README.md").read_text(encoding="utf-8")))
    assert folders | helpers <= named


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `runner/waiting.py`", "page.md: `runner/waiting.py` does not exist"),
        ("see `tests/gone/test_it.py::test_it`", "page.md: `tests/gone/test_it.py::test_it` does not exist"),
        ("all of `jobs/sheets/*_paper.py`", "page.md: `jobs/sheets/*_paper.py` does not exist"),
        ("read [it](docs/gone.md#part)", "page.md: the link to docs/gone.md leads nowhere"),
    ],
)
def test_a_dead_path_is_seen(tmp_path: Path, text: str, found: str) -> None:
    """A file, a test, a pattern, a link."""
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(missing(page)) == [found]


@pytest.mark.parametrize(
    "text", ["`jobs/states.py`", "`jobs/store/`", "`jobs/sheets/readers/*_sheet.py`", "`s3://a/b`", "`a/b`"]
)
def test_what_exists_or_is_no_path_is_left_alone(tmp_path: Path, text: str) -> None:
    """A test that is too strict would be switched off."""
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(missing(page)) == []
