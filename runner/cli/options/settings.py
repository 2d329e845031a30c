"""Every option that is a setting: declared once, taken by the commands that need it.

The default of each is None, so that `Settings` decides: flag beats environment beats `nightsheet.toml`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

_WHERE = "Where"
_SPEED = "Speed and timeouts"
_MONEY = "Money"
_OUTPUT = "Output"
_EMULATOR = "Emulator"


def _option(kind: Any, flag: str, panel: str, text: str, metavar: str | None = None) -> Any:
    return Annotated[kind | None, typer.Option(flag, help=text, metavar=metavar, rich_help_panel=panel)]


OPTIONS: dict[str, Any] = {
    "db": _option(
        str,  # a path would mangle a URL
        "--db",
        _WHERE,
        "The database, or the URL of one on a server. Default: nightsheet.db in this folder.",
        "FILE",
    ),
    "output_dir": _option(
        Path,
        "--output-dir",
        _WHERE,
        "Folder for pictures. Default: the batch's, or outputs.",
        "DIR",
    ),
    "concurrency": _option(
        str,
        "--concurrency",
        _SPEED,
        "Jobs in flight at the API, or auto. Default: 8.",
        "N",
    ),
    "submit_gate": _option(int, "--submit-gate", _SPEED, "Submits on their way at once. Default: 4.", "N"),
    "rate": _option(float, "--rate", _SPEED, "Most submits a minute. Default: no limit.", "N"),
    "poll_min": _option(float, "--poll-min", _SPEED, "Least seconds between polls. Default: 0.25.", "S"),
    "poll_max": _option(float, "--poll-max", _SPEED, "Most seconds between polls. Default: 5.", "S"),
    "deadline": _option(float, "--deadline", _SPEED, "Seconds to wait for a job. Default: 3600.", "S"),
    "outage_limit": _option(
        float,
        "--outage-limit",
        _SPEED,
        "Seconds to wait in an outage. Default: 1800.",
        "S",
    ),
    "max_attempts": _option(
        int,
        "--max-attempts",
        _MONEY,
        "Paid tries of a failing job. Default: 1.",
        "N",
    ),
    "budget": _option(str, "--budget", _MONEY, "The most that the batch may cost, or none.", "USD"),
    "resubmit_unconfirmed": _option(
        int,
        "--resubmit-unconfirmed",
        _MONEY,
        "Submits to send again without an answer: may pay twice. Default: 0.",
        "N",
    ),
    "upload": _option(
        str,
        "--upload",
        _WHERE,
        "How local pictures get to the API: s3://BUCKET/PREFIX, data-uri or refuse. Default: refuse.",
        "WHERE",
    ),
    "yes": _option(bool, "--yes", _MONEY, "Agree to the price without being asked."),
    "again": _option(bool, "--again", _MONEY, "Pay again for rows that were paid for."),
    "emulator": _option(
        bool,
        "--emulator/--no-emulator",
        _EMULATOR,
        "Rehearse for nothing, with an emulated API.",
    ),
    "speed": _option(float, "--speed", _EMULATOR, "Times faster than the API. Default: 20.", "N"),
    "faults": _option(
        str,
        "--faults",
        _EMULATOR,
        "calm, busy, flaky, hostile, outage or a file. Default: calm.",
        "NAME",
    ),
    "on_event": _option(
        str,
        "--on-event",
        _OUTPUT,
        "Run a program when the run pauses or ends, with JSON on its input. No shell is involved.",
        "COMMAND",
    ),
    "webhook": _option(str, "--webhook", _OUTPUT, "Post the same JSON there.", "URL"),
    "json": _option(bool, "--json", _OUTPUT, "Print the result as JSON on standard output."),
    "quiet": _option(bool, "--quiet", _OUTPUT, "Show no progress."),
    "verbose": _option(bool, "--verbose", _OUTPUT, "Show more detail, and the traceback of a defect."),
}

CONTROLLING = ("db", "emulator", "verbose")
"""For commands that write a word or two."""
TURNING = ("db", "yes", "emulator", "verbose")
"""For commands that turn something on, off or up, and pay nothing."""
LOOKING = ("db", "emulator", "json", "verbose")
"""For commands that read the job table."""
FINDING = ("output_dir",)
"""Besides, for those that look for a batch's images: where its output folder is by now."""
CHANGING = ("db", "yes", "emulator", "json", "verbose")
"""For commands that change it."""
RUNNING = tuple(OPTIONS)
"""For commands that do the work."""
