"""Which library belongs to which folder. Which folder may import which other is in `test_rooms`.

In a pattern, `*` stands for any text, slashes included. What a name may be reached for (time, chance, the
environment) is ruff's business: `banned-api` in pyproject.toml.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.architecture.sources import PACKAGES, ROOT, Use, imported, sources


@dataclass(frozen=True)
class Only:
    """These names are for these files alone."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    why: str


ROWS = tuple(
    f"jobs.store.tables.{name}" for name in ("Batch", "Job", "Attempt", "Artifact", "Reference", "Run")
)
STORE = tuple(
    f"jobs.store.{name}"
    for name in (
        "accounts",
        "batches",
        "intake",
        "jobs",
        "ledger",
        "links",
        "page",
        "preview",
        "moves",
        "part",
        "rows",
        "schema",
    )
)
NETWORK = ("socket", "ssl", "http", "urllib.request", "anyio.connect_tcp", "anyio.create_tcp_listener")

RULES = (
    Only(
        ("sqlalchemy", "sqlmodel", "sqlite3", "aiosqlite", "alembic"),
        ("jobs/store/*", "migrations/*"),
        "the only SQL is in the store and in the migrations",
    ),
    Only(STORE, ("jobs/store/*",), "the store is asked through Store"),
    Only(ROWS, (), "nobody holds a live row; the store works on the tables' metadata"),
    Only(
        ("httpx", "aiohttp"),
        ("runner/http/*", "runner/downloads/download.py"),
        "the clients are behind runner.http; a download streams its answer",
    ),
    Only(("typer", "click", "rich"), ("runner/cli/*",), "printing is the command line's business"),
    Only(("starlette", "uvicorn"), ("runner/emulator/*", "runner/page/*"), "the emulator and the page serve"),
    Only(
        ("asyncio",),
        (
            *("jobs/store/sql/transactions.py", "runner/recovery/server_lock.py"),
            *("runner/emulator/http/server.py", "runner/page/server.py", "runner/http/deadline.py"),
        ),
        "anyio is the rule; group commit's futures, a submit's timer and uvicorn's server are asyncio's own, "
        "and a lock is kept beside a block whose errors come out as they are",
    ),
)
APART = (
    ("jobs/*", ("runner", *NETWORK), "what is to be done knows nothing of who does it, nor how"),
    (
        "runner/page/*",
        (
            *("runner.providers", "runner.http", "runner.environment", "runner.settings", "runner.run"),
            *("runner.workers", "runner.lifecycle", "runner.planning", "httpx", "aiohttp", "os.environ"),
        ),
        "the page looks and decides: it knows no token and no API, and starts nothing",
    ),
    (
        "runner/gallery/*",
        ("runner.providers", "runner.http", "runner.environment", "runner.settings", "runner.run", "httpx"),
        "a gallery is made of the table and the disk: it knows no token and no API",
    ),
    ("migrations/*", ("jobs", "runner"), "history is written out: it does not follow today's tables"),
)
SHARES = (
    (
        "runner/emulator/*",
        ("runner.emulator", "runner.clock", "jobs.catalog", "jobs.errors", "jobs.suggestions"),
        "the API's stand-in shares nothing with what talks to it, or both would be wrong together",
    ),
    ("runner/http/*", ("runner.http", "jobs.errors"), "it knows HTTP, and no API"),
    (
        "runner/providers/runcomfy/*",
        (
            *("runner.providers", "runner.http", "runner.clock"),
            *("jobs.attempts", "jobs.errors", "jobs.failures", "jobs.pauses", "jobs.signed_urls"),
        ),
        "it knows the API, and nothing of a run",
    ),
    ("jobs/catalog/*", ("jobs.catalog", "jobs.suggestions"), "a model's page is a page"),
)
"""Of the project, these files use this and no more."""


def violations(path: str, source: str) -> Iterator[str]:
    """Every broken rule of one file, as a sentence."""
    uses = list(imported(path, source))
    for rule in RULES:
        if not _within(path, rule.files):
            yield from (_sentence(path, use, rule.why) for use in uses if _any(use, rule.names))
    for files, names, why in APART:
        if fnmatchcase(path, files):
            yield from (_sentence(path, use, why) for use in uses if _any(use, names))
    for files, shared, why in SHARES:
        if fnmatchcase(path, files):
            ours = (use for use in uses if _any(use, PACKAGES) and not _any(use, shared))
            yield from (_sentence(path, use, why) for use in ours)


def _within(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _any(use: Use, prefixes: tuple[str, ...]) -> bool:
    return any(use.under(prefix) for prefix in prefixes)


def _sentence(path: str, use: Use, why: str) -> str:
    return f"{path}:{use.line}: {use.name} does not belong here: {why}"


def test_every_file_keeps_to_its_place() -> None:
    """All broken rules at once, each with its reason."""
    found = [sentence for path, source in sources().items() for sentence in violations(path, source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES)
def test_no_exception_outlives_its_reason(rule: Only) -> None:
    """Each place that a rule lists needs it still: the list is as narrow as it can be."""
    users = {
        path
        for path, source in sources().items()
        if any(_any(use, rule.names) for use in imported(path, source))
    }
    idle = [pattern for pattern in rule.files if not any(fnmatchcase(path, pattern) for path in users)]
    assert not idle, f"{idle} may be taken off the list of {rule.names}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("jobs/manifests/csv.py", "def later():\n    import httpx"),
        ("jobs/disk/paths.py", "from anyio import connect_tcp"),
        ("jobs/disk/paths.py", "import urllib.request"),
        ("jobs/errors.py", "from rich.console import Console"),
        ("jobs/manifests/record.py", "from sqlalchemy import Connection"),
        ("migrations/versions/v0002_next.py", "from jobs.store.tables import Job"),
        ("runner/workers/pool.py", "import sqlite3"),
        ("runner/workers/pool.py", "from jobs.store.moves.apply import claim"),
        ("runner/workers/pool.py", "from jobs.store import moves"),
        ("runner/workers/pool.py", "from jobs.store.tables import Job"),
        ("runner/workers/pool.py", "from aiohttp.abc import AbstractResolver"),
        ("runner/workers/pool.py", "import asyncio"),
        ("runner/events/report.py", "from typer import echo"),
        ("runner/emulator/http/app.py", "import httpx"),
        ("runner/emulator/http/app.py", "from runner.providers.base import Provider"),
        ("runner/emulator/http/app.py", "from jobs.store.store import Store"),
        ("runner/http/api_client.py", "from jobs.failures import Failure"),
        ("runner/page/app.py", "from runner.providers.runcomfy.credentials import find_token"),
        ("runner/page/app.py", "from runner.run import resume_batch"),
        ("runner/page/app.py", "from jobs.store.page.tiles import Tiles"),
        ("runner/providers/runcomfy/api.py", "from jobs.store.store import Store"),
        ("jobs/catalog/spec.py", "from jobs.problems import Problem"),
    ],
)
def test_a_broken_rule_is_seen(path: str, source: str) -> None:
    """Under an alias, inside a function, from the middle of a package: it is found."""
    found = list(violations(path, source))
    assert found
    assert all(sentence.startswith(f"{path}:") for sentence in found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("jobs/store/moves/apply.py", "from sqlalchemy import select"),
        ("runner/workers/pool.py", "from jobs.store.store import Store\nfrom jobs.pauses import PauseReason"),
        ("runner/emulator/http/app.py", "from runner.clock import Clock\nfrom jobs.catalog import registry"),
        ("jobs/disk/paths.py", "from urllib.parse import urlsplit\nimport anyio"),
    ],
)
def test_what_is_in_its_place_is_let_be(path: str, source: str) -> None:
    """A rule that is too wide would be switched off."""
    assert list(violations(path, source)) == []


REACHES = (
    ("runner/workers/poll.py", "import time as t\nt.sleep(1)\n"),
    ("runner/workers/poll.py", "from time import monotonic\nmonotonic()\n"),
    ("runner/workers/poll.py", "import anyio\n\n\nasync def wait() -> None:\n    await anyio.sleep(1)\n"),
    ("runner/events/report.py", "from datetime import datetime as dt\ndt.now()\n"),
    ("runner/events/report.py", "import datetime\nd = datetime.datetime.utcnow\n"),
    ("runner/backoff.py", "import random\nrandom.uniform(0, 1)\n"),
    ("runner/backoff.py", "from random import choice\nchoice([1])\n"),
    ("runner/providers/connect.py", "import os\nos.environ['HOME']\n"),
    ("runner/providers/connect.py", "from os import getenv\ngetenv('HOME')\n"),
    ("runner/downloads/disk.py", "from pathlib import Path\nPath.home()\n"),
)
PASSED_IN = (
    ("runner/backoff.py", "import random\nrng = random.Random(7)\nrng.random()\n"),
    ("runner/workers/poll.py", "async def wait(clock) -> None:\n    await clock.sleep(1)\n    clock.now()\n"),
    ("runner/clock.py", "import time\ntime.monotonic()\n"),
)


def banned(path: str, source: str) -> bool:
    """Whether ruff says, as it is set up here, that something is reached for in that file."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", path, "-"],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    return "TID251" in done.stdout


@pytest.mark.parametrize(("path", "source"), REACHES)
def test_what_is_reached_for_is_seen(path: str, source: str) -> None:
    """Time, chance and the environment, under whatever name."""
    assert banned(path, source)


@pytest.mark.parametrize(("path", "source"), PASSED_IN)
def test_what_is_passed_in_is_let_be(path: str, source: str) -> None:
    """And the one clock may look at the time."""
    assert not banned(path, source)
