"""The console script `nightsheet`. A command's module is imported when that command is asked for."""

import inspect
import os
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup

from runner.cli.console import console, streams
from runner.cli.console.help import load_help
from runner.cli.console.pydantic_messages import findings, in_plain_words

_KEY_LOG = "SSLKEYLOGFILE"
_COMPLETION = "_NIGHTSHEET_COMPLETE"
"""Set where a shell asks for completions: nothing else may be written then."""

_WORK = "Do the work"
_LOOK = "See how it stands"
_DECIDE = "Decide"
_HELP = "Get to know it"


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """What the root shows of a command: the name of its module, its panel, the first line of its help."""

    name: str
    panel: str
    help: str


COMMANDS = (
    CommandEntry("run", _WORK, "Load what is new in the sheet, and run until nothing is left to do."),
    CommandEntry("resume", _WORK, "Clear a pause and go on with a batch, without its sheet."),
    CommandEntry(
        "status",
        _LOOK,
        "Show how a batch stands: counts, spend, pace, and when it will be done. Works beside a run.",
    ),
    CommandEntry(
        "batches",
        _LOOK,
        "List all batches of this database with their state, money and last run; the newest last.",
    ),
    CommandEntry(
        "runners",
        _LOOK,
        "List the runners at work on a server's job table: where, since when, jobs in hand, last beat.",
    ),
    CommandEntry(
        "jobs",
        _LOOK,
        "List the jobs with their state and the reason for it, in sheet order; or show one in full.",
    ),
    CommandEntry(
        "audit",
        _LOOK,
        "Show every submit that was or may have been paid, and what was paid without pictures here.",
    ),
    CommandEntry(
        "view",
        _LOOK,
        "Show a batch as a page in the browser: every picture and every job, live. It never pays.",
    ),
    CommandEntry(
        "export", _LOOK, "Write the manifest: one record for each job, in sheet order, whatever became of it."
    ),
    CommandEntry(
        "gallery",
        _LOOK,
        "Write a folder of pictures to share: index.html in it opens in any browser, without a server.",
    ),
    CommandEntry(
        "retry",
        _DECIDE,
        "Give failed jobs another chance: free where the API holds the result, else a new paid submit.",
    ),
    CommandEntry("review", _DECIDE, "List the submits that got no usable answer, and decide about them."),
    CommandEntry(
        "cancel",
        _DECIDE,
        "Cancel a batch, or some of its jobs: send nothing new, and cancel what waits at the API.",
    ),
    CommandEntry(
        "decide",
        _DECIDE,
        "Give pictures a verdict and stars: accept, reject, or make it again. To undo is to decide again.",
    ),
    CommandEntry(
        "reroll",
        _DECIDE,
        "Write a sheet of what is marked for a re-roll, with its price. It sends and pays nothing.",
    ),
    CommandEntry(
        "pause",
        _DECIDE,
        "Send nothing new of a batch until you resume it; a run still fetches what is paid for.",
    ),
    CommandEntry("tune", _DECIDE, "Change the speed or the budget of a batch, while it runs or before."),
    CommandEntry(
        "account",
        _DECIDE,
        "Show or set the limits of your account: for all its batches in this database, and all who run them.",
    ),
    CommandEntry(
        "check",
        _HELP,
        "Check every row, and show the plan: jobs, pictures, price. Loads nothing, pays nothing.",
    ),
    CommandEntry(
        "models", _HELP, "List the models that can be run, or show one with its inputs, limits and defaults."
    ),
    CommandEntry(
        "init",
        _HELP,
        "Write a first sheet, with the columns of the models asked for and example rows to replace.",
    ),
    CommandEntry(
        "doctor",
        _HELP,
        "Check what a night needs: token, price, balance, disk, clock, proxy, certificate, upload, database.",
    ),
    CommandEntry(
        "db",
        _HELP,
        "Make the job table of a database on a PostgreSQL server, upgrade it, or copy one elsewhere.",
    ),
    CommandEntry(
        "emulator",
        _HELP,
        "Serve the emulator of the API on this machine until Ctrl-C: free, offline, and it keeps nothing.",
    ),
)
"""In the order of `--help`. A test holds the help lines against the commands' own docstrings."""


class PlainArgument(TyperArgument):
    """An argument whose help shows no type of Python."""

    def display_type_rich(self, ctx: Any) -> str | None:
        """Nothing: its name says what it is."""
        return None


def _in_plain_words(parameters: list[Any]) -> list[Any]:
    """The parameters of a command without `<bool>`, `<str>` and `<path>` beside them in `--help`."""
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            parameter.__class__ = PlainArgument
        elif parameter.is_flag:
            parameter.metavar = ""
    return parameters


class LazyGroup(TyperGroup):
    """Lists its commands by their entries, and imports one when it is run, completed or asked for help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, as `--help` shows them."""
        return _in_plain_words(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        load_help()
        super().format_help(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the line names, loaded, with the arguments that are left."""
        name, entry, rest = super().resolve_command(ctx, args)
        return name, None if entry is None else load(str(entry.name)), rest


class PlainCommand(TyperCommand):
    """A command whose help and usage errors are in plain words."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arguments and options, as `--help` shows them."""
        return _in_plain_words(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write it without a column for `--no-` flags: that leaves the words half the room."""
        load_help()
        for parameter in self.get_params(ctx):
            parameter.secondary_opts = []
            if "--help" in parameter.opts:
                parameter.rich_help_panel = "Output"
        super().format_help(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            for problem in findings(error.__cause__)[:1]:
                error.message = f"{console.clean(in_plain_words(problem))}."
            raise


def _in_paragraphs(text: str) -> str:
    """A docstring without the line breaks of its source: the terminal folds it at its own width."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def load(name: str) -> Any:
    """The command of this name, from its module in `runner/cli/commands/`."""
    module = import_module(f"runner.cli.commands.{name}")
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
    words = _in_paragraphs(inspect.getdoc(module.command) or "")
    alone.command(name, cls=PlainCommand, help=words, epilog=f"Example: {module.EXAMPLE}")(module.command)
    return typer.main.get_command(alone)


def build() -> typer.Typer:
    """The application."""
    app = typer.Typer(
        name="nightsheet",
        cls=LazyGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Try it for nothing: nightsheet init my.csv, then nightsheet run my.csv --emulator",
    )
    app.callback()(_about)
    for entry in COMMANDS:
        app.command(entry.name, help=entry.help, rich_help_panel=entry.panel)(_entry)
    return app


def main() -> None:
    """The console script."""
    streams.prepare()
    _write_no_keys()
    build()(prog_name="nightsheet")


def _write_no_keys() -> None:
    """Python would write the keys of every connection into a file, and fail where it cannot."""
    if os.environ.pop(_KEY_LOG, None) and _COMPLETION not in os.environ:
        console.message(
            f"{_KEY_LOG} is ignored: it would have the TLS keys of this night written into a file."
        )


def _entry() -> None:
    """Stands in the root's list for a command that is not imported; `LazyGroup` runs the command itself."""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version as installed_version  # as long as half of all else here

        console.result(f"nightsheet {installed_version('nightsheet')}")
        raise typer.Exit


def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Runs a sheet of image prompts overnight: every picture, a manifest, and a record of what it cost.

    Never pays twice, never loses what was paid for, never stops for one row.
    """
