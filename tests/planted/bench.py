"""Plants bugs one after another in copies of the tree, and sees for each whether its tests catch it."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.planted.bug import ROOT, Bug

PATIENCE_SECONDS = 120.0
"""For the tests of one bug. One that makes them hang for longer is caught as well."""

_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", ".coverage*", "outputs*", "*.db*"
)
_FAILED = re.compile(r"^FAILED (.+?)(?: - (.*))?$", re.MULTILINE)
_PASSED, _TESTS_FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one bug. `test` is the one that caught it, None where none did."""

    bug: Bug
    test: str | None
    words: str
    seconds: float


class NotClean(Exception):
    """The tests fail without any bug, so that nothing can be learnt from their failing."""


def hunt(bugs: Sequence[Bug], workers: int, told: Callable[[Found], None]) -> list[Found]:
    """Plant every bug, in as many copies of the tree side by side; `told` hears of each as it is done.

    Raises:
        NotClean: a test that is to catch one fails without it.
        DoesNotApply: a bug's place is not there any more.
    """
    with _copies(workers) as copies:
        names = sorted({test for bug in bugs for test in bug.tests})
        free: SimpleQueue[Path] = SimpleQueue()
        for copy in copies:
            free.put(copy)

        def clean(part: list[str]) -> tuple[int, str]:
            copy = free.get()
            try:
                return _run(copy, part, patience=PATIENCE_SECONDS * 5) if part else (_PASSED, "")
            finally:
                free.put(copy)

        def one(bug: Bug) -> Found:
            copy = free.get()
            try:
                found = _hunted(bug, copy)
            finally:
                free.put(copy)
            told(found)
            return found

        with ThreadPoolExecutor(workers) as pool:
            for code, text in pool.map(clean, [names[first::workers] for first in range(workers)]):
                if code != _PASSED:
                    raise NotClean(text)
            return list(pool.map(one, bugs))


def _hunted(bug: Bug, copy: Path) -> Found:
    begun = time.monotonic()
    with bug.planted(copy):
        code, text = _run(copy, list(bug.tests), patience=PATIENCE_SECONDS)
    seconds = time.monotonic() - begun
    failed = _FAILED.search(text)
    if code == _TESTS_FAILED and failed:
        return Found(bug, failed[1], failed[2] or "", seconds)
    if code == _HUNG:
        return Found(bug, bug.tests[0], "it hangs", seconds)
    why = "" if code == _PASSED else f"pytest ended with {code}: {text[-2000:]}"
    return Found(bug, None, why, seconds)


_HUNG = -1


def _run(copy: Path, tests: list[str], *, patience: float) -> tuple[int, str]:
    """Run tests in a copy: pytest's exit code, and what it said."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(
            command, cwd=copy, env=_env(copy), capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return _HUNG, ""
    return ended.returncode, ended.stdout + ended.stderr


def _env(copy: Path) -> dict[str, str]:
    # Nothing compiled is kept: two editions of a file may be of one length and one second.
    return os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400"}


@contextmanager
def _copies(many: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copies = [Path(folder) / str(number) for number in range(many)]
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=_NOT_COPIED, symlinks=True)
            _must_be_what_runs(copy)
        yield copies


def _must_be_what_runs(copy: Path) -> None:
    """An installed Nightsheet must not take the place of the copy: every bug would go unnoticed."""
    ask = "import jobs, runner, migrations; print(jobs.__file__, runner.__file__, migrations.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=copy, env=_env(copy), capture_output=True, text=True, check=True
    )
    places = [Path(place).resolve() for place in told.stdout.split()]
    if not all(place.is_relative_to(copy.resolve()) for place in places):
        raise NotClean(f"another Nightsheet runs instead of the copy: {told.stdout}")
