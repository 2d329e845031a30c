"""The console script `nightsheet`: puts the commands together. Each lives in a file of its own."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from runner.cli.commands import (
    audit,
    cancel,
    check,
    emulator,
    export,
    jobs,
    models,
    pause,
    resume,
    retry,
    review,
    run,
    status,
    tune,
)
from runner.cli.console import console
from runner.cli.console.pydantic_messages import findings, in_plain_words

_WORK = "Do the work"
_LOOK = "See how it stands"
_DECIDE = "Decide"
_HELP = "Get to know it"


class Command(TyperCommand):
    """One whose usage errors are in plain words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            for problem in findings(error.__cause__)[:1]:
                error.message = f"{console.clean(in_plain_words(problem))}."
            raise


def build() -> typer.Typer:
    """The application."""
    app = typer.Typer(
        name="nightsheet",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Try it for nothing: nightsheet run sample_batches/first-night.csv --emulator",
    )
    app.callback()(_about)
    for panel, modules in (
        (_WORK, (run, resume)),
        (_LOOK, (status, jobs, audit, export)),
        (_DECIDE, (retry, review, cancel, pause, tune)),
        (_HELP, (check, models, emulator)),
    ):
        for module in modules:
            name = module.__name__.rpartition(".")[2]
            example = f"Example: {module.EXAMPLE}"
            app.command(name, cls=Command, epilog=example, rich_help_panel=panel)(module.command)
    return app


def main() -> None:
    """The console script."""
    console.prepare()
    build()(prog_name="nightsheet")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.result(f"nightsheet {version('nightsheet')}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Runs a sheet of image prompts overnight: every picture, a manifest, and an honest account.

    Never pays twice, never loses what was paid for, never stops for one row.
    """
