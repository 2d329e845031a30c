"""What the commands open: the job table that exists already, one batch of it, the API, an event loop.

SQLAlchemy and the API's clients are imported when they are opened, and nowhere else in the command line: they
take longer than most commands, and help, completion and errors of usage do without them.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.clock import Clock, SystemClock
from runner.environment import Environment
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView
    from runner.providers.connect import Api

T = TypeVar("T")


def execute(body: Callable[[], Awaitable[T]]) -> T:
    """Run a command's asynchronous part to its end."""
    return anyio.run(body)


def system_clock() -> Clock:
    """The machine's own clock."""
    return SystemClock()


def process_environment() -> Environment:
    """This process's own environment."""
    from jobs.store.sqlite.notices import running_version

    return Environment(
        env=os.environ, home=Path.home(), clock=system_clock(), sqlite_version=running_version()
    )


@asynccontextmanager
async def open_existing(settings: Settings, clock: Clock) -> AsyncIterator["Store"]:
    """The job table, which has to exist.

    Raises:
        UsageProblem: it does not exist yet.
        CannotWrite: it cannot be opened.
    """
    from jobs.store.open import open_store

    must_exist(settings)
    async with open_store(settings.place, clock.now) as store:
        yield store


@asynccontextmanager
async def opened_batch(
    settings: Settings, clock: Clock, name: str | None
) -> AsyncIterator[tuple["Store", "BatchView"]]:
    """The job table and the batch of that name, or the one last run.

    Raises:
        UsageProblem: there is no database, or no such batch.
    """
    async with open_existing(settings, clock) as store:
        yield store, await store.batches.named(name)


@asynccontextmanager
async def batch_to_change(
    settings: Settings, clock: Clock, name: str | None
) -> AsyncIterator[tuple["Store", "BatchView"]]:
    """The same for a command that changes the batch: one that nobody named is named, on standard error.

    Raises:
        UsageProblem: there is no database, or no such batch.
    """
    async with opened_batch(settings, clock, name) as (store, batch):
        if name is None:
            console.message(f"Batch {batch.name}, the one that ran last.")
        yield store, batch


async def tell_if_retired(store: "Store") -> bool:
    """Say on standard error that what is shown is as it was; whether the table is retired."""
    retirement = await store.batches.retirement()
    if retirement is not None:
        shown = retirement.refusal(store.database.shown).message
        console.message(f"{shown} What is here is as it was then.", "yellow")
    return retirement is not None


def must_exist(settings: Settings) -> None:
    """Raise UsageProblem where there is no job table yet."""
    if settings.place.may_exist():
        return
    hint = "Run a sheet first: `nightsheet run SHEET`; or name another database with --db."
    rehearsal = settings.database.with_name("nightsheet-emulator.db")
    if not settings.emulator and settings.db is None and rehearsal.exists():
        hint = "There is one of the emulator's: add --emulator for it."
    raise UsageProblem(f"There is no database {settings.database} yet.", hint)


def opener_of_api(
    batch: "BatchView", settings: Settings, environment: Environment
) -> Callable[[], AbstractAsyncContextManager["Api"]]:
    """Opens the API that a batch belongs to, when it is called.

    Raises:
        UsageProblem: the batch belongs to another API.
    """
    from runner.providers import connect
    from runner.providers.origin import origin_of

    batch.check_origin(origin_of(settings, environment.env))
    return lambda: connect.open_api(settings, environment)
