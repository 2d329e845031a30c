"""Runs the targets on input after input, and keeps what should not have happened.

A finding is an exception that is not one of ours, an input that takes longer than a second of this process's
own time, or memory that grows beyond its limit.
"""

import random
import resource
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import sheets
from tests.fuzz.answers import Api

SLOWEST_SECONDS = 1.0
MOST_MEMORY = 256 * 1024
"""Kilobytes that a whole search may add."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What happened, and the seed that makes it happen again."""

    target: str
    seed: int
    what: str
    where: str


@dataclass
class Search:
    """What a search has done so far."""

    executions: dict[str, int] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    slowest_seconds: float = 0.0
    memory_kb: int = 0

    def found(self, finding: Finding) -> None:
        """Keep the first of its kind."""
        self.findings.setdefault((finding.target, finding.where), finding)


def search(seed: int, goes_on: Callable[[int], bool]) -> Search:
    """Try inputs from `seed` on for as long as `goes_on`, which is asked with their number so far."""
    done = Search()
    before = _memory_kb()
    with tempfile.TemporaryDirectory(dir=_fast()) as folder, _api() as api:
        targets: dict[str, Callable[[random.Random], object]] = {
            "sheets": lambda dice: sheets.one(dice, Path(folder)),
            "answers": api.one,
            "dresses": api.dress,
        }
        done.executions = dict.fromkeys(targets, 0)
        number = 0
        while goes_on(number):
            name = list(targets)[number % len(targets)]
            _try(done, name, targets[name], seed + number)
            number += 1
    done.memory_kb = _memory_kb() - before
    if done.memory_kb > MOST_MEMORY:
        done.found(Finding("all", seed, f"{done.memory_kb} KB more than before", "memory"))
    return done


def replay(target: str, seed: int) -> bytes:
    """Do one execution again; what went wrong is raised. Returns its input."""
    with tempfile.TemporaryDirectory() as folder, _api() as api:
        dice = random.Random(seed)
        if target == "sheets":
            return sheets.one(dice, Path(folder))
        return api.dress(dice) if target == "dresses" else api.one(dice)


def _try(done: Search, name: str, target: Callable[[random.Random], object], seed: int) -> None:
    begun = time.process_time()
    try:
        target(random.Random(seed))
    except Exception as error:  # whatever it is: that is what is searched for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
        done.found(Finding(name, seed, f"{type(error).__name__}: {error}"[:300], where))
    seconds = time.process_time() - begun
    done.executions[name] += 1
    done.slowest_seconds = max(done.slowest_seconds, seconds)
    if seconds > SLOWEST_SECONDS:
        done.found(Finding(name, seed, f"{seconds:.1f} s", "time"))


@contextmanager
def _api() -> Iterator[Api]:
    """An API whose loop is closed at the end."""
    api = Api()
    try:
        yield api
    finally:
        api.loop.close()


def _memory_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _fast() -> str | None:
    """Where small files cost least."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
