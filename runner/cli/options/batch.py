"""The options that name a batch, and jobs of it."""

from typing import Annotated

import typer

from runner.cli.options.completion import batch_names

BatchName = Annotated[
    str | None,
    typer.Argument(
        metavar="BATCH", help="The batch. Default: the one that ran last.", autocompletion=batch_names
    ),
]
JobKeys = Annotated[
    list[str] | None, typer.Option("--job", metavar="KEY", help="Only this job; may be repeated.")
]
