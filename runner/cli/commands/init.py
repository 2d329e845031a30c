"""`nightsheet init`: a first sheet to fill in, for the models asked for. It never overwrites a file."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.catalog.publisher import EXAMPLE_MODEL, FIRST_MODEL
from jobs.catalog.registry import MODELS, find, suggest
from jobs.catalog.spec import ModelSpec
from jobs.errors import UsageProblem
from jobs.sheets.first_sheet import PLACEHOLDER, write_first_sheet
from jobs.suggestions import did_you_mean
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CONTROLLING
from runner.humanize import count_of
from runner.settings import Settings

EXAMPLE = f"nightsheet init prompts.csv --model {EXAMPLE_MODEL}"


@with_settings(*CONTROLLING)
def command(
    settings: Settings,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The new sheet: CSV, TSV, XLSX, YAML or JSONL, by its ending."),
    ] = Path("sheet.csv"),
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help=f"A model that the sheet is for; may be repeated. Default: {FIRST_MODEL}.",
        ),
    ] = None,
) -> None:
    """Write a first sheet, with the columns of the models asked for and example rows to replace.

    A file that exists is never overwritten.
    """
    models = [_model(name) for name in dict.fromkeys(model or [FIRST_MODEL])]
    rows = write_first_sheet(file, models)
    console.result(f"Written: {file}, with {count_of(rows, 'example row')}. Put your own prompts there.")
    if any("images" in spec.vocabulary for spec in models):
        console.result(
            f"Replace {PLACEHOLDER}, which is a placeholder, with your own: an https address, or a file "
            "beside the sheet."
        )
    for spec in models:
        console.result(f"What the columns take: {then(settings, 'models', spec.model_id)}")
    console.result(f"Next: {then(settings, 'check', str(file))}")


def _model(name: str) -> ModelSpec:
    spec = find(name)
    if spec is None:
        hint = did_you_mean(suggest(name), f"Models: {', '.join(MODELS)}.")
        raise UsageProblem(f"There is no model {name}. Nothing was written.", hint)
    return spec
