"""Finds where the lines of a planted bug stand now, after the code has moved.

Exact lines in another file: the bug follows the file. The same words with other line breaks, in the bug's
file or in one other: its lines become today's, and what is planted keeps its words, indented alike. Anything
else is for a person: the nearest lines are shown. A test that has moved is found by its name.
"""

import difflib
import re
import textwrap
from dataclasses import replace
from pathlib import Path

from tests.planted.bug import Bug, Place

SOURCES = ("jobs", "runner", "migrations", "nightsheet.py")


def anchored(bug: Bug, root: Path) -> tuple[Bug, list[str]]:
    """The bug with its places and tests found again; and what was not found, with the nearest lines."""
    texts = {path.relative_to(root).as_posix(): path.read_text() for path in _python(root, SOURCES)}
    places, lost = [], []
    for place in bug.places:
        found = _found(place, texts)
        places.append(found or place)
        if found is None:
            lost.append(f"{place.file}: nearest lines:\n{_nearest(place, texts)}")
    tests = []
    for test in bug.tests:
        at = _test_found(test, root)
        tests.append(at or test)
        if at is None:
            lost.append(f"no test of that name: {test}")
    return replace(bug, places=tuple(places), tests=tuple(tests)), lost


def _python(root: Path, folders: tuple[str, ...]) -> list[Path]:
    paths = (root / folder for folder in folders)
    return sorted(found for path in paths for found in ([path] if path.is_file() else path.rglob("*.py")))


def _found(place: Place, texts: dict[str, str]) -> Place | None:
    """The place where it stands now; None where that is not one place for sure."""
    if texts.get(place.file, "").count(place.was) == 1:
        return place
    exact = [file for file, text in texts.items() if text.count(place.was) == 1]
    if len(exact) == 1:
        return replace(place, file=exact[0])
    words = re.compile(_pattern(place.was))
    rewrapped = [(file, found) for file, text in texts.items() for found in words.finditer(text)]
    at_home = [one for one in rewrapped if one[0] == place.file]
    if len(at_home or rewrapped) != 1:
        return None
    ((file, found),) = at_home or rewrapped
    text = texts[file]
    start = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end()) + 1
    was = text[start:end]
    if text.count(was) != 1:
        return None
    return Place(file, was, textwrap.indent(textwrap.dedent(place.is_now), _indent(was)))


def _pattern(text: str) -> str:
    """The text with any white space, and with or without the commas that formatting puts before a bracket."""
    words = re.findall(r"\w+|[^\w\s]", re.sub(r",(\s*[)\]}])", r"\1", text))
    return r"\s*".join(rf",?\s*{re.escape(word)}" if word in ")]}" else re.escape(word) for word in words)


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _nearest(place: Place, texts: dict[str, str]) -> str:
    lines = texts.get(place.file, "").splitlines()
    first = place.was.strip().splitlines()[0]
    close = difflib.get_close_matches(first, lines, n=3, cutoff=0.5)
    return "\n".join(f"    {line}" for line in close) or f"    (none, or {place.file} is gone)"


def _test_found(test: str, root: Path) -> str | None:
    file, _, name = test.partition("::")
    has_it = re.compile(rf"^(async )?def {re.escape(name)}\(", re.MULTILINE)
    if (root / file).is_file() and has_it.search((root / file).read_text()):
        return test
    found = [path for path in _python(root, ("tests",)) if has_it.search(path.read_text())]
    return f"{found[0].relative_to(root).as_posix()}::{name}" if len(found) == 1 else None
