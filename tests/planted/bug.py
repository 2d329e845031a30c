"""A planted bug: what is wrong, the tests that have to catch it, and the few lines that make it so.

    What goes wrong for the user, in a sentence or two.

    caught by tests/unit/runner/workers/test_poll.py::test_a_job_that_is_done_goes_on_to_its_pictures

    in runner/workers/poll.py
    <<<
    the lines as they are, which stand in that file exactly once
    ===
    the lines as they are with the bug
    >>>

Several places may follow each other. A text that is not there exactly once means that the code has changed:
the bug is anchored again (`python -m tests.planted --anchor`, or by hand), never dropped.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).parent / "bugs"
SUFFIX = ".bug"

_PLACE = re.compile(r"^in (\S+)\n<<<\n(.*?\n)===\n(.*?)>>>\n", re.DOTALL | re.MULTILINE)
_CAUGHT_BY = re.compile(r"^caught by (\S+)$", re.MULTILINE)


class DoesNotApply(Exception):
    """The text that a bug replaces is not in its file, or not just once."""


@dataclass(frozen=True, slots=True)
class Place:
    """One replacement."""

    file: str
    was: str
    is_now: str


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug, named by its file."""

    name: str
    says: str
    tests: tuple[str, ...]
    places: tuple[Place, ...]

    def edited(self, root: Path) -> dict[Path, str]:
        """The files below `root` that it touches, as they are with the bug.

        Raises:
            DoesNotApply: the code is another by now.
        """
        texts: dict[Path, str] = {}
        for place in self.places:
            path = root / place.file
            text = texts.get(path) or path.read_text()
            found = text.count(place.was)
            if found != 1:
                raise DoesNotApply(f"{self.name}: {found} times in {place.file}, not once:\n{place.was}")
            texts[path] = text.replace(place.was, place.is_now)
        for path, text in texts.items():
            ast.parse(text, str(path))
        return texts

    @contextmanager
    def planted(self, root: Path) -> Iterator[None]:
        """Plant it in the copy at `root` for as long as the block lasts.

        Raises:
            DoesNotApply: the code is another by now.
        """
        edited = self.edited(root)
        before = {path: path.read_text() for path in edited}
        try:
            for path, text in edited.items():
                path.write_text(text)
            yield
        finally:
            for path, text in before.items():
                path.write_text(text)


def read(path: Path) -> Bug:
    """A bug as its file tells it.

    Raises:
        ValueError: the file is not of that form.
    """
    text = path.read_text()
    says = text.partition("\n\n")[0].replace("\n", " ")
    tests = tuple(_CAUGHT_BY.findall(text))
    places = tuple(Place(*found) for found in _PLACE.findall(text))
    if not (says and tests and places) or len(places) != len(re.findall(r"^<<<$", text, re.MULTILINE)):
        raise ValueError(f"{path.name} is not of the form that tests/planted/bug.py tells")
    return Bug(path.stem, says, tests, places)


def write(bug: Bug, folder: Path = BUGS) -> None:
    """Put a bug's places and tests into its file; the sentences at its head stay as they are."""
    path = folder / f"{bug.name}{SUFFIX}"
    head = path.read_text().partition("\n\n")[0]
    caught = "\n".join(f"caught by {test}" for test in bug.tests)
    places = "\n".join(f"in {p.file}\n<<<\n{p.was}===\n{p.is_now}>>>\n" for p in bug.places)
    path.write_text(f"{head}\n\n{caught}\n\n{places}")


@cache
def all_bugs() -> tuple[Bug, ...]:
    """Every bug, by name."""
    return tuple(read(path) for path in sorted(BUGS.glob(f"*{SUFFIX}")))
