"""The front door: a batch, from its sheet or from its table, to the report of one run over it."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from anyio import to_thread

from jobs.errors import LockHeld
from jobs.problems import as_sentence
from jobs.sheets.planning import open_images, plan
from jobs.sheets.sheet import Sheet, open_sheet
from jobs.sheets.source import SheetSource
from jobs.sheets.survey import Survey
from jobs.store.open import open_store
from jobs.store.store import Store
from jobs.views import BatchView, LoadReport, Pause
from runner.environment import Environment
from runner.events.observer import Observer
from runner.events.report import RunReport
from runner.humanize import count_of
from runner.lifecycle.order import LastWords, LoadOptions, Order
from runner.lifecycle.stages import carry_out
from runner.planning.consent import Consent
from runner.planning.elsewhere import paid_elsewhere
from runner.planning.paid_words import adopted_notice
from runner.planning.selection import WHOLE, Selection
from runner.providers.origin import origin_of
from runner.recovery.hold import holding, settled_phase
from runner.recovery.lock import Holder, Phase
from runner.settings import Settings, as_kept, with_image_settings


async def run_sheet(
    source: Path | SheetSource,
    load: LoadOptions,
    *,
    settings: Settings,
    environment: Environment,
    consent: Consent,
    observer: Observer,
    selection: Selection = WHOLE,
    last_words: LastWords | None = None,
) -> RunReport:
    """Load a sheet into its batch and run the batch until nothing is left to do.

    `selection` limits the run to some of the queued jobs; the whole sheet is loaded nevertheless.
    `last_words` are said of the batch where a person ends the process at once.

    Raises:
        NightsheetError: any kind of it. Nothing is paid then.
    """
    given = with_image_settings(source, settings)
    sheet = await to_thread.run_sync(lambda: open_sheet(given, batch=load.batch, model=load.model))
    await to_thread.run_sync(open_images, sheet)
    origin = origin_of(settings, environment.env)
    async with (
        open_store(settings.place, environment.clock.now, create=True) as store,
        holding(
            store,
            command="run",
            batch=sheet.batch,
            clock=environment.clock,
            notice=observer.notice,
        ) as held,
    ):
        if held.other is not None:
            raise _held(held.other, settings)
        known = await store.batches.find(sheet.batch)
        if known is not None and as_kept(settings, known).upload != settings.upload:
            given = with_image_settings(source, as_kept(settings, known))
            sheet = await to_thread.run_sync(lambda: open_sheet(given, batch=load.batch, model=load.model))
            await to_thread.run_sync(open_images, sheet)
        survey = Survey()
        loaded, report = await store.batches.load(
            name=sheet.batch,
            sheet=sheet.place,
            origin=origin,
            planned=plan(
                sheet, environment.rng, load.priority_by, survey=survey, now=environment.clock.now()
            ),
            is_copy=sheet.is_copy,
            dedupe=load.dedupe,
        )
        if report.new < report.total and (report.new or report.changed or report.gone or report.adopted):
            observer.notice(
                f"The sheet: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
                f"{report.gone} gone."
            )
        if report.new or report.changed:
            _tell_of_the_sheet(sheet, survey, observer)
        if report.adopted:
            observer.notice(adopted_notice(report.adopted))
        if report.gone:
            observer.notice(_gone_notice(report))
        order = Order(store, loaded, settings, environment, consent, observer, selection, load.prune)
        order = replace(order, keeper=held.keeper, last_words=last_words)
        return await carry_out(await _with_witnesses(order))


def _tell_of_the_sheet(sheet: Sheet, survey: Survey, observer: Observer) -> None:
    """Warnings of the sheet as a whole, before its price is asked for."""
    warnings = list(survey.warnings(sheet))
    if warnings:
        observer.notice(f"{count_of(len(warnings), 'warning')} of the sheet as a whole:")
    for one in warnings:
        line = "" if one.row is None else f"row {one.row}: "
        observer.notice(f"  {line}{as_sentence(one)}")


async def _with_witnesses(order: Order) -> Order:
    """The order with what other databases paid for: rows of its batch that say so are held."""
    batch = order.batch
    looked_at = (
        order.environment.clock.now()
    )  # before the look: what is paid for meanwhile is found next time
    uid = await order.store.witness.database_uid()
    found, journals = await paid_elsewhere(
        order.settings, order.environment, batch.sheet, batch.origin, uid, order.observer.notice
    )
    return replace(order, elsewhere=found, journals=journals, looked_at=looked_at)


def _gone_notice(report: LoadReport) -> str:
    parts = []
    if report.unsent:
        were = (
            "was not sent yet, and will not be"
            if report.unsent == 1
            else "were not sent yet, and will not be"
        )
        parts.append(f"{count_of(report.unsent, 'job')} {were}")
    if sent := report.gone - report.unsent:
        were = "was already sent: it" if sent == 1 else "were already sent: they"
        parts.append(f"{count_of(sent, 'job')} {were} will finish, and `export --all` has the result")
    return f"Removed from the sheet: {'; '.join(parts)}."


async def resume_batch(
    name: str | None,
    *,
    settings: Settings,
    environment: Environment,
    consent: Consent,
    observer: Observer,
    selection: Selection = WHOLE,
    last_words: LastWords | None = None,
) -> RunReport | None:
    """Clear a batch's pause and continue it. `name` None is the batch that ran last.

    Where another runner holds the database and goes on, only the pause is cleared, and None is returned. A
    runner that is ending is waited for.

    Raises:
        NightsheetError: any kind of it. Nothing is paid then.
    """
    async with open_store(settings.place, environment.clock.now) as store:
        batch = await store.batches.named(name)
        batch.check_origin(origin_of(settings, environment.env))
        while True:
            async with holding(
                store,
                command="resume",
                batch=batch.name,
                clock=environment.clock,
                notice=observer.notice,
            ) as held:
                other = held.other
                if other is None:
                    batch = await store.batches.get(batch.id)  # as another process has left it
                    order = Order(
                        store, batch, settings, environment, consent, observer, selection, resumes=True
                    )
                    order = replace(order, keeper=held.keeper, last_words=last_words)
                    return await carry_out(await _with_witnesses(order))
            if other.makes_room_soon:
                raise _held(other, settings)
            await store.batches.resume(batch.id)
            if other.batch not in {"", batch.name}:
                observer.notice(
                    f"It works on batch {other.batch!r}: resume {batch.name!r} again when that has ended."
                )
                return None
            phase = await settled_phase(store, other, environment.clock, partial(_is_paused, store, batch))
            if phase is Phase.WORKING:
                observer.notice("It goes on by itself.")
                return None
            if phase is Phase.PAUSED:
                raise _still_paused(other, settings, (await store.batches.get(batch.id)).paused)


async def _is_paused(store: Store, batch: BatchView) -> bool:
    return (await store.batches.get(batch.id)).paused is not None


def _still_paused(other: Holder, settings: Settings, paused: Pause | None) -> LockHeld:
    holds = f"{other} holds {settings.place}"
    if paused is None:
        return LockHeld(
            f"{holds}. Its pause is cleared, and it has not gone on.",
            hint="If it hangs, end that process; then run `nightsheet resume` again.",
        )
    return LockHeld(
        f"{holds}. It has paused again ({paused.reason}): {paused.detail}",
        hint="When that is fixed, run `nightsheet resume` again.",
    )


def _held(other: Holder, settings: Settings) -> LockHeld:
    end = "try again when it has ended" if other.makes_room_soon else "`nightsheet pause` stops it"
    hint = f"Nothing was changed. `nightsheet status` works meanwhile; {end}."
    at_work = f", and works on batch {other.batch!r}" if other.batch else ""
    return LockHeld(f"{other} holds {settings.place}{at_work}.", hint=hint)
