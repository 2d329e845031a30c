"""Who may import what, and reach for what. The design's arrows, as data; a broken one names file and line.

In a pattern, `*` stands for any text, slashes included.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.architecture.sources import Use, imported, reached_for, sources


@dataclass(frozen=True)
class Only:
    """These names are for these files alone."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Never:
    """These files neither import nor use these names, except what is listed."""

    files: str
    names: tuple[str, ...]
    why: str
    unless: tuple[str, ...] = ()


SQL = ("sqlalchemy", "sqlmodel", "sqlite3", "aiosqlite", "alembic")
HTTP = ("httpx", "aiohttp", "httpx_aiohttp")
TERMINAL = ("typer", "click", "rich")
SERVER = ("starlette", "uvicorn")
ROOMS = (
    "batches",
    "jobs",
    "ledger",
    "links",
    "loading",
    "moves",
    "part",
    "preview",
    "references",
    "rows",
    "schema",
)
STORE_ROOMS = tuple(f"jobs.store.{name}" for name in ROOMS)
ROWS = tuple(
    f"jobs.store.tables.{name}" for name in ("Batch", "Job", "Attempt", "Artifact", "Reference", "Run")
)
NETWORK = (
    *HTTP,
    *SERVER,
    *("socket", "ssl", "http", "urllib.request", "asyncio.open_connection", "asyncio.start_server"),
    *("anyio.connect_tcp", "anyio.connect_unix", "anyio.create_tcp_listener", "anyio.create_unix_listener"),
    *("anyio.create_udp_socket", "anyio.create_connected_udp_socket", "anyio.getaddrinfo"),
)

IMPORTS_ONLY = (
    Only(
        SQL,
        (
            *(
                "jobs/store/tables.py",
                "jobs/store/database.py",
                "jobs/store/migrate.py",
                "jobs/store/*",
                "migrations/*",
            ),
            "jobs/store/completion.py",
        ),
        "the only SQL is in the store and below it; a glance is one word of it, and has to be quick",
    ),
    Only(STORE_ROOMS, ("jobs/store/*",), "the store has one door"),
    Only(ROWS, (), "nobody holds a live row; the store works on the tables' metadata"),
    Only(
        HTTP,
        ("runner/http/*", "runner/downloads/download.py"),
        "the clients are behind runner.http; downloads streams their answers, opening is handed a transport",
    ),
    Only(TERMINAL, ("runner/cli/*",), "what is printed is the commands' business"),
    Only(SERVER, ("runner/emulator/*",), "only the emulator serves"),
    Only(
        ("runner.emulator",),
        ("runner/emulator/*", "runner/providers/connect.py", "runner/cli/*"),
        "a run knows one API",
    ),
    Only(("runner.cli",), ("runner/cli/*",), "a run does not know who started it"),
    Only(
        ("asyncio",),
        ("jobs/store/database.py", "runner/emulator/http/server.py"),
        "anyio is the rule; aiosqlite's futures and uvicorn's server are asyncio's own",
    ),
)

IMPORTS_NEVER = (
    Never(
        "jobs/*", ("runner", *TERMINAL, *NETWORK), "what is to be done knows nothing of who does it, nor how"
    ),
    Never(
        "jobs/catalog/*", ("jobs",), "a model's page is a page", unless=("jobs.catalog", "jobs.suggestions")
    ),
    Never(
        "jobs/sheets/*",
        ("jobs.store", "jobs.store.database", "jobs.store.tables", "jobs.store.migrate", "jobs.outcomes"),
        "a sheet is read without a database",
    ),
    Never("migrations/*", ("jobs", "runner"), "history is written out: it must not follow today's tables"),
    Never("runner/http/*", ("runner", "jobs"), "it knows HTTP", unless=("runner.http", "jobs.errors")),
    Never(
        "runner/providers/runcomfy/*",
        ("runner", "jobs.store", "jobs.store.database"),
        "it knows the API",
        unless=("runner.providers", "runner.http", "runner.providers.runcomfy.responses", "runner.clock"),
    ),
    Never(
        "runner/emulator/*",
        ("runner", "jobs", *HTTP),
        "the API's stand-in shares nothing with what talks to it, or both would be wrong together",
        unless=("runner.emulator", "runner.clock", "jobs.catalog", "jobs.errors"),
    ),
    *(
        Never(
            f"runner/{name}.py",
            ("jobs.store", "jobs.store.database", "runner.providers.runcomfy.api"),
            "it is pure",
        )
        for name in ("settings", "clock", "events", "backoff", "retry", "classify")
    ),
)

REACHES_ONLY = (
    Only(
        ("time.sleep", "time.time", "time.monotonic", "time.perf_counter"),
        ("runner/clock.py",),
        "a night must pass in a test",
    ),
    Only(("anyio.sleep",), ("runner/clock.py",), "a night must pass in a test"),
    Only(
        ("asyncio.sleep",), ("runner/emulator/http/server.py",), "one turn of the loop, while a socket closes"
    ),
    Only(
        (
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ),
        ("runner/clock.py",),
        "a night must pass in a test",
    ),
    Only(
        tuple(f"random.{name}" for name in random.__all__ if name not in {"Random", "SystemRandom"}),
        (),
        "chance is handed in, so that a run can be repeated",
    ),
    Only(
        ("os.environ", "os.environb", "os.getenv"),
        ("runner/settings.py", "runner/cli/steps/open.py"),
        "the environment is read where a command begins",
    ),
    Only(
        ("pathlib.Path.home", "pathlib.Path.cwd", "os.getcwd", "os.path.expanduser", "sys.argv"),
        ("runner/cli/*",),
        "paths are handed in",
    ),
)

LONGEST = 360
LONG = 300


def violations(path: str, source: str) -> Iterator[str]:
    """Every broken rule of one file, as a sentence."""
    imports, reaches = list(imported(path, source)), list(reached_for(path, source))
    for only, uses in [(rule, imports) for rule in IMPORTS_ONLY] + [(rule, reaches) for rule in REACHES_ONLY]:
        if not _within(path, only.files):
            yield from (_sentence(path, use, only.why) for use in uses if _any(use, only.names))
    for never in IMPORTS_NEVER:
        if fnmatchcase(path, never.files):
            wrong = [
                use for use in {*imports, *reaches} if _any(use, never.names) and not _any(use, never.unless)
            ]
            yield from (_sentence(path, use, never.why) for use in wrong)


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


@pytest.mark.parametrize("rule", [*IMPORTS_ONLY, *REACHES_ONLY])
def test_no_exception_outlives_its_reason(rule: Only) -> None:
    """Each place that a rule lists needs it still: the list is as narrow as it can be."""
    read = reached_for if rule in REACHES_ONLY else imported
    users = {
        path for path, source in sources().items() if any(_any(use, rule.names) for use in read(path, source))
    }
    idle = [pattern for pattern in rule.files if not any(fnmatchcase(path, pattern) for path in users)]
    assert not idle, f"{idle} may be taken off the list of {rule.names}"


def test_files_stay_small() -> None:
    """One idea each. A few may be long, none very long."""
    lengths = {path: len(source.splitlines()) for path, source in sources().items()}
    too_long = {path: lines for path, lines in lengths.items() if lines > LONGEST}
    long = {path: lines for path, lines in lengths.items() if lines > LONG}
    assert not too_long, f"more than {LONGEST} lines: {too_long}"
    assert len(long) <= len(lengths) / 20, f"more than {LONG} lines, and too many of them: {long}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("jobs/states.py", "from runner import pool"),
        ("jobs/states.py", "import runner.clock"),
        ("jobs/manifests/csv.py", "def later():\n    import httpx"),
        ("jobs/paths.py", "from anyio import connect_tcp"),
        ("jobs/paths.py", "import urllib.request"),
        ("jobs/paths.py", "import asyncio\nasyncio.start_server"),
        ("jobs/paths.py", "import anyio as a\na.connect_tcp"),
        ("jobs/errors.py", "from rich.console import Console"),
        ("jobs/manifests/record.py", "from sqlalchemy.ext.asyncio import AsyncConnection"),
        ("jobs/sheets/planning.py", "from jobs.store.store import Store"),
        ("jobs/catalog/spec.py", "from jobs.errors import UsageProblem"),
        ("migrations/versions/v0002_next.py", "from jobs.store.tables import Job"),
        ("runner/workers/pool.py", "import sqlite3"),
        ("runner/workers/pool.py", "from jobs.store.moves import claim"),
        ("runner/workers/pool.py", "from jobs.store import moves"),
        ("runner/workers/pool.py", "from jobs.store.tables import Job"),
        ("runner/workers/pool.py", "from aiohttp.abc import AbstractResolver"),
        ("runner/events/report.py", "from typer import echo"),
        ("runner/run.py", "from runner.cli import render"),
        ("runner/workers/submit.py", "from runner.emulator.faults.faults import Fault"),
        ("runner/http/api_client.py", "from ..clock import Clock"),
        ("runner/http/api_client.py", "from jobs.failures import Failure"),
        ("runner/providers/runcomfy/api.py", "from runner.limits.throttle import Throttle"),
        ("runner/emulator/http/app.py", "import httpx"),
        ("runner/emulator/http/app.py", "from runner.providers.runcomfy.api import RunComfy"),
        ("runner/emulator/http/app.py", "from jobs.store.store import Store"),
        ("runner/providers/runcomfy/responses.py", "from jobs.store.store import Store"),
        ("runner/workers/poll.py", "import time as t\nt.sleep(1)"),
        ("runner/workers/poll.py", "from time import monotonic\nmonotonic()"),
        ("runner/workers/poll.py", "import anyio\nasync def wait():\n    await anyio.sleep(1)"),
        ("runner/events/report.py", "from datetime import datetime as dt\ndt.now()"),
        ("runner/events/report.py", "import datetime\nd = datetime.datetime.utcnow"),
        ("runner/backoff.py", "import random\nrandom.uniform(0, 1)"),
        ("runner/backoff.py", "from random import choice\nchoice([1])"),
        ("runner/providers/runcomfy/credentials.py", "import os\nos.environ['HOME']"),
        ("runner/providers/runcomfy/credentials.py", "from os import getenv\ngetenv('HOME')"),
        ("runner/downloads/disk.py", "from pathlib import Path\nPath.home()"),
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
        ("jobs/store/moves.py", "from sqlalchemy import select"),
        ("runner/workers/pool.py", "from jobs.store.store import Store\nfrom jobs.pauses import PauseReason"),
        ("runner/backoff.py", "import random\nrng = random.Random(7)\nrng.random()"),
        ("runner/workers/poll.py", "async def wait(clock):\n    await clock.sleep(1)\n    clock.now()"),
        ("runner/emulator/http/app.py", "from runner.clock import Clock\nfrom jobs.catalog import registry"),
        ("jobs/paths.py", "from urllib.parse import urlsplit\nimport anyio"),
    ],
)
def test_what_is_in_its_place_is_let_be(path: str, source: str) -> None:
    """A rule that is too wide would be switched off."""
    assert list(violations(path, source)) == []
