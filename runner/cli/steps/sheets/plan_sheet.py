"""Reads a sheet into a plan: its jobs against those that the batch has, its prices, its duration."""

import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from jobs.errors import TokenProblem, UsageProblem
from jobs.paid import PaidElsewhere, telling
from jobs.pauses import UNTIL_RESUMED
from jobs.problems import Problem
from jobs.row_change import NEW, Claims, RowChange
from jobs.sheets import PlannedJob, SheetSource, Survey, open_sheet
from jobs.sheets import plan as planned_rows
from jobs.sheets.sheet import Sheet
from runner.cli.console import console
from runner.cli.options.sheet import SheetOptions
from runner.cli.reports.plans.plan import Plan
from runner.cli.steps.open import open_existing, process_environment, system_clock
from runner.cli.steps.sheets.hosted_images import HostedImages, probe
from runner.emulator.settings import EmulatorSettings
from runner.humanize import count_of
from runner.planning.prices import Prices, PriceSource, prices_for
from runner.providers.vendor import has_token
from runner.settings import Settings, as_kept, with_image_settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

_CHUNK = 500


async def plan_sheet(
    source: SheetSource,
    options: SheetOptions,
    settings: Settings,
    *,
    remote: bool,
    notice: Callable[[str], None] = console.message,
) -> tuple[Plan, Prices]:
    """The plan of a sheet, and the prices of its models; `remote` probes hosted images as well.

    `notice` is told of databases that cannot be read.

    Raises:
        SheetProblems: the sheet cannot be read as one.
        UsageProblem: its batch belongs to another sheet or another API.
        CannotWrite: the database cannot be opened.
    """
    sheet = open_sheet(with_image_settings(source, settings), batch=options.batch, model=options.model)
    async with AsyncExitStack() as stack:
        store = await _job_table(stack, settings)
        batch = None
        if store is not None:
            batch = await store.batches.loadable(
                sheet.batch, sheet.place, _origin(settings), is_copy=sheet.is_copy
            )
        if batch is not None and (kept := as_kept(settings, batch)).upload != settings.upload:
            settings = kept
            sheet = open_sheet(
                with_image_settings(source, settings), batch=options.batch, model=options.model
            )
        against = Against(store, batch, await _witnesses(settings, sheet.place, store, notice))
        plan, hosted = await _read(sheet, options, settings, against, remote=remote)
        if against.claims.may_adopt:  # all rows are seen now, and each knows what the others claim
            against.claims.all_seen = True
            quiet = settings.model_copy(update={"verbose": False})
            plan, _ = await _read(sheet, options, quiet, against, remote=False)
        if store is not None and batch is not None:
            plan.upload = settings.upload
            plan.known, plan.held = True, sum((await store.jobs.counts(batch.id)).values())
            if batch.paused is not None and batch.paused.reason in UNTIL_RESUMED:
                plan.paused = batch.paused
        plan.minutes = await _minutes(store, batch, plan)
        plan.needs_token = bool(plan.to_send) and not settings.emulator and not _has_token()
    if hosted.named:
        await probe(hosted, source.name, plan, settings)
    return plan, await _prices(settings, plan, batch)


@dataclass(slots=True)
class Against:
    """What a sheet is compared with: its batch, and what was paid for elsewhere."""

    store: "Store | None"
    batch: "BatchView | None"
    elsewhere: PaidElsewhere
    claims: Claims = field(default_factory=Claims)


async def _read(
    sheet: Sheet, options: SheetOptions, settings: Settings, against: Against, *, remote: bool
) -> tuple[Plan, HostedImages]:
    """Go through the rows once."""
    rng = random.Random()  # noqa: S311 - seeds of images, which are shown to nobody
    survey = Survey()
    rows = planned_rows(sheet, rng, options.priority_by, survey=survey, now=system_clock().now())
    hosted = HostedImages()
    kept = against.batch is not None and against.batch.dedupe
    plan = Plan(
        sheet.batch,
        dedupe=kept if options.dedupe is None else options.dedupe,
        sends_held=settings.emulator or settings.again,
        beside=settings.database_beside(sheet.place),
    )
    while chunk := list(islice(rows, _CHUNK)):
        jobs = [item for item in chunk if not isinstance(item, Problem)]
        for job in jobs if remote else ():
            hosted.add(job)
        _add(plan, chunk, await _changes(against, jobs, settings))
        if settings.verbose and not settings.as_json:
            _list(sheet.name, jobs)
    plan.add_survey(sheet, survey)
    return plan, hosted


async def _witnesses(
    settings: Settings, place: str, store: "Store | None", notice: Callable[[str], None]
) -> PaidElsewhere:
    """What other databases paid for."""
    from runner.planning.elsewhere import paid_elsewhere

    uid = None if store is None else await store.witness.database_uid()
    environment = process_environment()
    paid, _journals = await paid_elsewhere(settings, environment, place, _origin(settings), uid, notice)
    return paid


def _origin(settings: Settings) -> str:
    from runner.providers.origin import origin_of

    return origin_of(settings, process_environment().env)


def _has_token() -> bool:
    """Whether there is one; one that is damaged counts, as the price says what is wrong with it."""
    environment = process_environment()
    try:
        return has_token(environment.env, environment.home)
    except TokenProblem:
        return True


async def _changes(against: Against, jobs: Sequence[PlannedJob], settings: Settings) -> list[RowChange]:
    """What loading would do with each job; with what was paid for before where nobody agreed to it yet."""
    store, batch = against.store, against.batch
    changes = [NEW] * len(jobs)
    if store is not None and batch is not None:
        changes = await store.preview.compare(batch.id, jobs, against.claims)
    said = [job.fingerprint for job, change in zip(jobs, changes, strict=True) if change.may_be_held]
    if store is not None:
        batch_id, origin = (None, _origin(settings)) if batch is None else (batch.id, batch.origin)
        paid = await store.held.paid_before(batch_id, origin, said, against.elsewhere)
    else:
        told = said if against.elsewhere else ()
        found = {one: telling(against.elsewhere.get(one, ())) for one in told}
        paid = {one: submit for one, submit in found.items() if submit is not None}
    held = {one: submit for one, submit in paid.items() if not submit.gave_nothing}
    if not held:
        return changes
    return [
        replace(change, held=held.get(job.fingerprint)) if change.may_be_held else change
        for job, change in zip(jobs, changes, strict=True)
    ]


async def _job_table(stack: AsyncExitStack, settings: Settings) -> "Store | None":
    """The job table; None where there is none yet. One that cannot be opened is refused, as `run` does."""
    if not settings.place.may_exist():
        return None
    return await stack.enter_async_context(open_existing(settings, system_clock()))


def _add(plan: Plan, chunk: Sequence[PlannedJob | Problem], changes: Sequence[RowChange]) -> None:
    change_of_job = iter(changes)
    for item in chunk:
        plan.add(item, NEW if isinstance(item, Problem) else next(change_of_job))


def _list(sheet: str, jobs: Sequence[PlannedJob]) -> None:
    for job in jobs:
        images = count_of(job.pictures, "picture")
        console.result(f"{sheet}:{job.row}: {job.key}: {job.model}, {images} at most")


async def _minutes(store: "Store | None", batch: "BatchView | None", plan: Plan) -> float | None:
    """How long it will take at the throughput that was measured last; None where nothing was measured."""
    if store is None or not plan.to_send:
        return None
    try:
        throughput = await store.preview.throughput((batch or await store.batches.named(None)).origin)
    except UsageProblem:  # a table without a batch
        return None
    return plan.to_send.jobs / throughput if throughput else None


async def _prices(settings: Settings, plan: Plan, batch: "BatchView | None") -> Prices:
    """What an image costs by model: from the API where there is a token, else as far as it is known."""
    if settings.emulator:
        emulator = EmulatorSettings()
        return Prices({model: emulator.price(model) for model in plan.work}, PriceSource.EMULATOR)
    models = () if plan.problems else tuple({**plan.to_send, **plan.repeats})
    last_run = batch.prices if batch else {}
    environment = process_environment()
    return await prices_for(models, settings, environment.env, environment.home, environment.clock, last_run)
