"""Every option that is a setting: declared once, taken by the commands that need it.

All are None when not said, so that `Settings` decides: flag beats environment beats `nightsheet.toml`.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from runner.cli.console.errors import guarded
from runner.cli.options.completion import batch_names

_WHERE = "Where"
_PACE = "Pace and patience"
_MONEY = "Money"
_TALK = "What is told"
_STAND_IN = "Stand-in"


def _option(kind: Any, flag: str, panel: str, text: str, metavar: str | None = None) -> Any:
    return Annotated[kind | None, typer.Option(flag, help=text, metavar=metavar, rich_help_panel=panel)]


OPTIONS: dict[str, Any] = {
    "db": _option(
        Path,
        "--db",
        _WHERE,
        "The job table; nightsheet.db here (with --emulator: nightsheet-emulator.db).",
        "FILE",
    ),
    "output_dir": _option(
        Path,
        "--output-dir",
        _WHERE,
        "For pictures and manifests; outputs here (with --emulator: outputs-emulator).",
        "DIR",
    ),
    "concurrency": _option(int, "--concurrency", _PACE, "Jobs in flight at the API; 8.", "N"),
    "submit_gate": _option(int, "--submit-gate", _PACE, "Submits on their way at once; 4.", "N"),
    "rate": _option(float, "--rate", _PACE, "Submits a minute at most; no limit.", "N"),
    "poll_min": _option(float, "--poll-min", _PACE, "Seconds between polls of a job at first; 1.", "S"),
    "poll_max": _option(float, "--poll-max", _PACE, "Seconds between polls of a job at most; 5.", "S"),
    "deadline": _option(float, "--deadline", _PACE, "A job's longest wait at the API, seconds; 3600.", "S"),
    "outage_limit": _option(
        float, "--outage-limit", _PACE, "How long an outage is ridden out, seconds; 1800.", "S"
    ),
    "max_attempts": _option(
        int,
        "--max-attempts",
        _MONEY,
        "Submits of a job whose runs the API fails; 1. Each may be billed.",
        "N",
    ),
    "budget": _option(str, "--budget", _MONEY, "What the batch may cost in all; no limit.", "USD"),
    "resubmit_unconfirmed": _option(
        int,
        "--resubmit-unconfirmed",
        _MONEY,
        "Submits of the batch without an answer that are sent again unasked; 0. Each may be paid twice.",
        "N",
    ),
    "upload": _option(
        str,
        "--upload",
        _WHERE,
        "How pictures of this computer get to the API: s3://BUCKET/PREFIX, data-uri or refuse; refuse "
        "(with --emulator: data-uri).",
        "WHERE",
    ),
    "yes": _option(bool, "--yes", _MONEY, "Agree to what it costs without being asked."),
    "emulator": _option(
        bool,
        "--emulator/--no-emulator",
        _STAND_IN,
        "Use the built-in stand-in for the API: free, offline, in files of its own.",
    ),
    "speed": _option(float, "--speed", _STAND_IN, "How many times faster than the API it is; 20.", "N"),
    "faults": _option(
        str,
        "--faults",
        _STAND_IN,
        "How it misbehaves: calm, busy, flaky, hostile, outage, or a file.",
        "NAME",
    ),
    "on_event": _option(
        str,
        "--on-event",
        _TALK,
        "Run this program with its arguments, without a shell, when the run pauses or ends; "
        "the counts are JSON on its input.",
        "COMMAND",
    ),
    "webhook": _option(str, "--webhook", _TALK, "Post the same JSON to this address.", "URL"),
    "json": _option(bool, "--json", _TALK, "The result as JSON on standard output."),
    "quiet": _option(bool, "--quiet", _TALK, "No progress."),
    "verbose": _option(bool, "--verbose", _TALK, "More detail, and a traceback if Nightsheet itself fails."),
}

LOOKING = ("db", "emulator", "json", "verbose")
"""For commands that read the job table."""
CHANGING = ("db", "yes", "emulator", "json", "verbose")
"""For commands that change it."""
RUNNING = tuple(OPTIONS)
"""For commands that do the work."""


def command(*settings: str) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Make a function a command: it also takes these options, and gets the `settings` that they make.

    What goes wrong in it is told in words; it ends the process with its exit code.
    """

    def make(body: Callable[..., int | None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            flags = {name: given.pop(name) for name in settings}

            def inside() -> int | None:
                from runner.settings import load_settings  # late: `--help` does not need it

                return body(**given, settings=load_settings(flags))

            raise typer.Exit(guarded(inside, verbose=bool(flags.get("verbose"))))

        _take_signature(run, body, settings)
        return run

    return make


def _take_signature(run: Callable[..., None], body: Callable[..., Any], settings: Sequence[str]) -> None:
    """Show Typer the body's own parameters and the options; `settings` is ours to fill in."""
    own = [p for p in inspect.signature(body).parameters.values() if p.name != "settings"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=OPTIONS[name])
        for name in settings
    ]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options
    run.__name__ = body.__name__
    run.__doc__ = body.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}


BatchName = Annotated[
    str | None,
    typer.Argument(
        metavar="BATCH", help="The batch; left out, the one last run.", autocompletion=batch_names
    ),
]
"""The batch that a command is about."""
