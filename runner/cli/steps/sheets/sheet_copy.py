"""`export --into`: results beside the rows of the user's own sheet, in a copy of it."""

from pathlib import Path
from typing import TYPE_CHECKING

from jobs.disk.atomic_file import replacement
from jobs.errors import NightsheetError, UsageProblem
from jobs.manifests.csv_copy import copy_csv
from jobs.manifests.results import results_of
from jobs.manifests.xlsx_copy import copy_xlsx
from jobs.sheets import Sheet, SheetSource, open_sheet
from jobs.sheets.images.way import Way
from jobs.sheets.opened import TableSheet
from jobs.sheets.readers.registry import format_of
from runner.cli.console import console
from runner.cli.steps.missing_images import tell_missing
from runner.cli.steps.overwrite import check_target
from runner.cli.steps.standing import whereabouts
from runner.settings import Settings, with_image_settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView


async def write_copy(
    store: "Store",
    batch: "BatchView",
    settings: Settings,
    source: SheetSource,
    model: str | None,
    output: Path | None,
) -> None:
    """Write the copy, and print where it is.

    Raises:
        UsageProblem: the sheet is no table that can be copied, or the copy would overwrite something else.
        SheetProblems: the sheet has problems.
        CannotWrite: the copy cannot be written.
    """
    form = source.format or format_of(source.path)
    if form not in {"csv", "tsv", "xlsx"}:
        raise UsageProblem(
            f"Results go into CSV, TSV and XLSX sheets, and {source.name} is none.",
            hint="`nightsheet export --output results.csv` has a row for each job of any sheet.",
        )
    sheet = open_sheet(with_image_settings(source, settings, way=Way.STORE), batch=batch.name, model=model)
    path = source.path.absolute()
    target = output or path.with_name(f"{path.stem}-results{path.suffix}")
    if target.suffix.lower() not in ("", path.suffix.lower()):
        raise UsageProblem(
            f"{target}: a copy of {source.name} has its ending, {path.suffix}. Nothing was written.",
            hint=f"Choose another name with --output, such as {path.stem}-results{path.suffix}.",
        )
    _must_be_free(target, sheet, source, batch, settings)
    places = whereabouts(batch, settings)
    results = results_of(store, batch, sheet, target.parent, places)
    opened = sheet.opened
    header = opened.header_line or 1
    worksheet = opened.worksheet if isinstance(opened, TableSheet) else None
    with replacement(target) as part:
        if form == "xlsx":
            await copy_xlsx(source, worksheet, header, results, part)
        else:
            await copy_csv(source, header, results, part, tabs=form == "tsv")
    console.message(f"Written: {target}")
    tell_missing(places, settings, batch.name)


def _must_be_free(
    target: Path, sheet: Sheet, source: SheetSource, batch: "BatchView", settings: Settings
) -> None:
    if target.exists() and target.samefile(source.path):
        raise UsageProblem(
            f"{target} is the sheet itself. Nothing was written.", hint="Choose another name with --output."
        )
    if target.is_file() and target.resolve() != Path(batch.sheet):
        try:
            if open_sheet(target, batch=batch.name, model=sheet.model).is_copy:
                return  # what an earlier export wrote
        except NightsheetError:
            pass
    check_target(target, settings.database, Path(batch.sheet))
