"""What the commands open: the job table that is there already, one batch of it, a loop to run in."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView
    from runner.clock import Clock
    from runner.environment import Environment
    from runner.settings import Settings

T = TypeVar("T")


def execute(body: Callable[[], Awaitable[T]]) -> T:
    """Run a command's asynchronous part to its end."""
    import anyio

    return anyio.run(body)


def system_clock() -> "Clock":
    """The machine's own."""
    from runner.clock import SystemClock

    return SystemClock()


def env_and_home() -> tuple[Mapping[str, str], Path]:
    """Where a token is looked for: this process's variables, and the home folder."""
    return os.environ, Path.home()


def process_environment() -> "Environment":
    """This process's own. What only reads the table does without: the API's clients come along with it."""
    from runner.environment import Environment

    return Environment(env=os.environ, home=Path.home(), clock=system_clock())


@asynccontextmanager
async def existing(settings: "Settings", clock: "Clock") -> AsyncIterator["Store"]:
    """The job table, which has to be there.

    Raises:
        UsageProblem: there is none yet.
        CannotWrite: it cannot be opened.
    """
    from jobs.store.open import open_store

    must_exist(settings)
    async with open_store(settings.database, clock.now) as store:
        yield store


@asynccontextmanager
async def opened_batch(
    settings: "Settings", clock: "Clock", name: str | None
) -> AsyncIterator[tuple["Store", "BatchView"]]:
    """The job table and the batch of that name, or the one last run.

    Raises:
        UsageProblem: there is no database, or no such batch.
    """
    async with existing(settings, clock) as store:
        yield store, await store.batches.named(name)


def must_exist(settings: "Settings") -> None:
    """Raise UsageProblem where there is no job table yet."""
    if settings.database.exists():
        return
    hint = "Run a sheet first: nightsheet run SHEET; or name another database with --db."
    rehearsal = settings.database.with_name("nightsheet-emulator.db")
    if not settings.emulator and settings.db is None and rehearsal.exists():
        hint = "There is one of the emulator's: add --emulator for it."
    raise UsageProblem(f"There is no database {settings.database} yet.", hint)
