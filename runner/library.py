"""Nightsheet for Python programs: what `runner` exports. docs/python.md shows how; the command line does the
same work.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypedDict, Unpack

from jobs.concurrency import Concurrency
from jobs.errors import SheetProblems, UsageProblem
from jobs.problems import Problem
from jobs.sheets import SheetSource
from jobs.states import ENDED, JobState
from jobs.store.store import Store
from jobs.views import Pause
from runner import run as front_door
from runner.cli.options.sheet import SheetOptions
from runner.cli.steps.open import opened_batch, process_environment
from runner.cli.steps.rehearsal import check_rehearsal
from runner.cli.steps.sheets.plan_sheet import plan_sheet
from runner.environment import Environment
from runner.events.observer import Observer, Progress
from runner.events.report import RunReport
from runner.lifecycle.order import LoadOptions
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.planning.selection import WHOLE, Selection
from runner.settings import Settings, load_settings

_SETTLED = ENDED | {JobState.UNCONFIRMED}


class SettingValues(TypedDict, total=False):
    """Settings of one call, by the names of docs/settings.md.

    They count as flags do: what is not given comes from the environment, then from `nightsheet.toml`.
    """

    db: str | Path
    output_dir: str | Path
    name_template: str
    concurrency: Concurrency
    submit_gate: int
    downloads: int
    rate: float
    poll_min: float
    poll_max: float
    deadline: float
    outage_limit: float
    submit_timeout: float
    timeout: float
    max_attempts: int
    resubmit_unconfirmed: int
    guard_failures: int
    guard_window: int
    guard_window_percent: float
    guard_unconfirmed: int
    guard_unconfirmed_percent: float
    canary: int
    canary_above: int
    budget: Decimal | float | str
    prices: Mapping[str, Decimal | float | str]
    picture_hosts: tuple[str, ...]
    upload: str
    picture_folders: tuple[str | Path, ...]
    keep_bad: bool
    thumbnails: bool
    on_event: str
    webhook: str
    proxy: str
    ca: str | Path
    emulator: bool
    speed: float
    faults: str
    yes: bool
    again: bool


@dataclass(frozen=True, slots=True)
class SheetCheck:
    """What a sheet would do. Nothing was loaded, and nothing was paid."""

    batch: str
    jobs: int
    images: int
    """At most: a model may return fewer than asked for."""
    jobs_to_send: int
    """Of these jobs, those that a run would send now."""
    low_usd: Decimal | None
    high_usd: Decimal | None
    """What the jobs to send cost; None where a price is not known."""
    problems: tuple[Problem, ...]
    """Why the sheet would not be loaded; empty where it would."""
    warnings: tuple[str, ...]
    columns_not_sent: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether a run would load it."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class BatchSnapshot:
    """A batch at one moment."""

    batch: str
    at: datetime
    counts: Mapping[JobState, int]
    submits: int
    """Those that were or may have been accepted."""
    spent_usd: Decimal
    unconfirmed_usd: Decimal
    """What submits without an answer may have cost on top."""
    held: int
    """Queued jobs that were paid for before, and wait for a person."""
    paused: Pause | None

    @property
    def total(self) -> int:
        """All jobs of the sheet."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that a run still has something to do for."""
        return self.total - self.held - sum(self.counts[state] for state in _SETTLED)


class SilentObserver:
    """An observer that ignores everything."""

    def progress(self, progress: Progress) -> None:
        """Called about once a second."""

    def notice(self, text: str) -> None:
        """Called with a text for a person."""


async def check_sheet(
    sheet: str | Path,
    *,
    batch: str | None = None,
    model: str | None = None,
    observer: Observer | None = None,
    **settings: Unpack[SettingValues],
) -> SheetCheck:
    """Validate every row, and count what a run would send. Needs no token, loads nothing, pays nothing.

    A sheet with problems is returned with them.

    Raises:
        NoSheet: there is no such file.
        UsageProblem: a setting is invalid.
    """
    made = load_settings(settings)
    options = SheetOptions(Path(sheet), batch=batch, model=model)
    tell = (observer or SilentObserver()).notice
    try:
        plan, prices = await plan_sheet(SheetSource(Path(sheet)), options, made, remote=False, notice=tell)
    except SheetProblems as error:
        return SheetCheck(batch or "", 0, 0, 0, None, None, error.problems, (), ())
    low, high = plan.to_send.price_range(prices.usd)
    return SheetCheck(
        plan.batch,
        plan.jobs,
        plan.pictures,
        plan.to_send.jobs,
        low,
        high,
        tuple(plan.problems),
        tuple(f"row {row}: {text}" if row is not None else text for row, _key, text in plan.warnings),
        tuple(plan.unsent),
    )


async def run_sheet(
    sheet: str | Path,
    *,
    batch: str | None = None,
    model: str | None = None,
    consent: Consent | None = None,
    observer: Observer | None = None,
    selection: Selection = WHOLE,
    **settings: Unpack[SettingValues],
) -> RunReport:
    """Load what is new in a sheet and run it until nothing is left to do. Run again, it goes on.

    `consent` is asked before anything is paid, and gets jobs, images and price. Without it, `yes=True`
    agrees, and so does the emulator, which costs nothing.

    Raises:
        NightsheetError: any kind of it. Nothing is paid then.
    """
    made = load_settings(settings)
    check_rehearsal(made)
    return await front_door.run_sheet(
        Path(sheet),
        LoadOptions(batch, model),
        settings=made,
        environment=process_environment(),
        consent=consent or _consent_of(made),
        observer=observer or SilentObserver(),
        selection=selection,
    )


async def resume_batch(
    batch: str | None = None,
    *,
    consent: Consent | None = None,
    observer: Observer | None = None,
    selection: Selection = WHOLE,
    **settings: Unpack[SettingValues],
) -> RunReport | None:
    """Clear the pause of a batch and go on with it; None is the batch that ran last.

    Where another process works on it, only the pause is cleared, and None is returned.

    Raises:
        NightsheetError: any kind of it. Nothing is paid then.
    """
    made = load_settings(settings)
    check_rehearsal(made)
    return await front_door.resume_batch(
        batch,
        settings=made,
        environment=process_environment(),
        consent=consent or _consent_of(made),
        observer=observer or SilentObserver(),
        selection=selection,
    )


async def watch_batch(
    batch: str | None = None, *, every_seconds: float = 1.0, **settings: Unpack[SettingValues]
) -> AsyncIterator[BatchSnapshot]:
    """The batch now and then again, until a run has nothing left to do for it. Works beside a run.

    Raises:
        UsageProblem: there is no database, or no such batch.
    """
    made = load_settings(settings)
    environment = process_environment()
    while True:
        # Opened each time: nothing is held while the caller does something else.
        async with opened_batch(made, environment.clock, batch) as (store, view):
            found = await _snapshot(store, view.id, environment)
        yield found
        if not found.left:
            return
        await environment.clock.sleep(every_seconds)


async def _snapshot(store: Store, batch_id: int, environment: Environment) -> BatchSnapshot:
    view = await store.batches.get(batch_id)
    counts, account = await store.jobs.counts_and_account(batch_id)
    return BatchSnapshot(
        view.name,
        environment.clock.now(),
        counts,
        account.submits,
        account.spent_usd,
        await store.ledger.unconfirmed_usd(batch_id),
        await store.held.count(batch_id),
        view.paused,
    )


def _consent_of(settings: Settings) -> Consent:
    """Who agrees where the program names nobody: `yes`, and the emulator."""
    if settings.yes or settings.emulator:
        return agreed_to_all

    async def refuse(ask: Ask) -> bool:
        if ask.again:
            return False
        raise UsageProblem(
            f"Batch {ask.batch}: nobody agreed to pay, so nothing was sent.",
            hint="Pass yes=True, or a function as `consent`.",
        )

    return refuse
