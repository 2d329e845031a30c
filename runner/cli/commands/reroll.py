"""`nightsheet reroll`: the sheet of what is to be made once more, and its price. It pays nothing."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from jobs.manifests.record import dollars
from jobs.review.rerolls import MOST_VARIANTS, NEW_SEED, SAME_SEED
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CHANGING
from runner.cli.steps.open import batch_to_change, execute, system_clock
from runner.humanize import count_of
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.deciding.rerolls import RerollSheet

_GONE = ". It is not there any more: mark them again to have them in another sheet."
_MOST_TOLD = 5
EXAMPLE = "nightsheet reroll first-night --variants 2"


@with_settings(*CHANGING)
def command(
    settings: Settings,
    batch: BatchName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="The sheet; otherwise BATCH-rerolls-1.csv, -2, ..."),
    ] = None,
    seed: Annotated[
        str,
        typer.Option(
            "--seed",
            metavar="new|same",
            help="A new seed where the model has one, or the same (for other words).",
        ),
    ] = NEW_SEED,
    variants: Annotated[
        int, typer.Option("--variants", metavar="N", min=1, max=MOST_VARIANTS, help="Rows for each re-roll.")
    ] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell the price, and write nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing where one of them cannot be said by a sheet.")
    ] = False,
) -> ExitCode:
    """Write a sheet of what is marked for a re-roll, with its price. It sends and pays nothing.

    Each is a row with an id of its own, in a batch of its own; prompts may be changed in the sheet before it
    is run. A series is made, and paid, whole. What is in a sheet comes into no other, until marked again.
    What a sheet cannot say is named and stays marked; the others are written, and the command ends with 1.
    """
    if seed not in (NEW_SEED, SAME_SEED):
        raise UsageProblem(f"--seed is {NEW_SEED} or {SAME_SEED}.")
    return execute(lambda: _reroll(settings, batch, output, seed, variants, dry_run=dry_run, strict=strict))


async def _reroll(
    settings: Settings,
    name: str | None,
    output: Path | None,
    seed: str,
    variants: int,
    *,
    dry_run: bool,
    strict: bool,
) -> ExitCode:
    from runner.cli.console import console
    from runner.deciding.rerolls import reroll_sheet, write_reroll_sheet

    async with batch_to_change(settings, system_clock(), name) as (store, batch):
        sheet = await reroll_sheet(store, batch, Path(), output=output, seed=seed, variants=variants)
        if strict and sheet.not_said:
            told = " ".join(f"{key}: {why}." for key, why in sheet.not_said[:_MOST_TOLD])
            many = count_of(len(sheet.not_said), "re-roll")
            raise UsageProblem(
                f"{many} cannot be written; with --strict nothing is. {told}",
                hint=_what_to_do(batch.name, sheet.not_said[0][0], settings),
            )
        if sheet.rows and not dry_run:
            await write_reroll_sheet(store, sheet)
        price = sheet.price({**settings.prices, **batch.prices})
        if settings.as_json:
            console.as_json(_as_json(sheet, price, settings))
        else:
            _show(batch.name, sheet, price, settings, dry_run=dry_run)
        return ExitCode.INCOMPLETE if sheet.not_said else ExitCode.OK


def _what_to_do(batch: str, key: str, settings: Settings) -> str:
    from runner.cli.console.formatting import then

    unmark = then(settings, "decide", batch, "--clear", key)
    return f"Type other words for it on the page (E), or take the mark away: {unmark}"


def _is_there(sheet: Path) -> bool:
    try:
        return sheet.stat().st_size > 0
    except OSError:
        return False


def _as_json(
    sheet: "RerollSheet", price: tuple[Decimal | None, Decimal | None], settings: Settings
) -> dict[str, Any]:
    from runner.cli.console.formatting import then

    low, high = price
    path = str(sheet.path) if sheet.rows else None
    return {
        "sheet": path,
        "batch": sheet.batch if sheet.rows else None,
        "jobs": sheet.work.jobs,
        "images": sheet.work.images,
        "low_usd": dollars(low),
        "high_usd": dollars(high),
        "command": None if path is None else then(settings, "run", path),
        "left_out": [{"key": key, "reason": why} for key, why in (*sheet.left_out, *sheet.not_said)],
        "not_said": [key for key, _ in sheet.not_said],
        "made_before": list(sheet.made_before),
    }


def _show(
    batch: str,
    sheet: "RerollSheet",
    price: tuple[Decimal | None, Decimal | None],
    settings: Settings,
    *,
    dry_run: bool,
) -> None:
    from runner.cli.console import console
    from runner.cli.console.formatting import then
    from runner.humanize import price as price_words

    for key, why in sheet.left_out:
        console.message(f"Left out: {key}: {why}.")
    for key, why in sheet.not_said:
        console.message(f"Not written: {key}: {why.removesuffix('.')}. It stays marked.")
    if sheet.not_said:
        console.message(_what_to_do(batch, sheet.not_said[0][0], settings))
    if not sheet.rows and sheet.not_said:
        console.result(f"Batch {batch}: nothing was written.")
        return
    if not sheet.rows:
        console.result(f"Batch {batch}: nothing is marked for a re-roll, and in no sheet yet.")
        for path in sheet.made_before:
            console.result(f"Written before: {path}{'' if _is_there(Path(path)) else _GONE}")
        return
    jobs, pictures = count_of(sheet.work.jobs, "job"), count_of(sheet.work.images, "picture")
    console.result(f"{jobs}, at most {pictures}, {price_words(*price)}.")
    if typed := sum(one.marked.words is not None for one in sheet.made):
        others = "--seed and --variants are for the others."
        console.result(f"{count_of(typed, 'picture')} with other words, as typed on the page; {others}")
    if dry_run:
        console.result(f"Nothing was written. Without --dry-run: {sheet.path}")
        return
    console.result(f"Written: {sheet.path}. Change its prompts as you like; nothing is sent or paid yet.")
    here = sheet.path.absolute().parent
    for folder in sheet.folders:
        if not folder.is_relative_to(here):
            console.result(f"It names pictures in {folder}: a run takes them if `picture_folders` has it.")
    console.result(f"Next: {then(settings, 'run', str(sheet.path))}")
