"""`nightsheet doctor`: what has to be right before a night, each in a line. Pays nothing, changes nothing."""

import textwrap
from typing import TYPE_CHECKING

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.command import with_settings
from runner.cli.steps.open import execute, process_environment
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.checkup.advice import Advice

EXAMPLE = "nightsheet doctor --upload s3://bucket/references"
_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


@with_settings("db", "output_dir", "upload", "emulator", "json", "verbose")
def command(settings: Settings) -> int:
    """Check what a night needs: token, price, balance, disk, clock, proxy, certificate, upload, database.

    Every call is free, and the token goes to the API alone. The exit code is 1 if there is a problem; a
    warning does not change it.
    """
    found = execute(lambda: _look(settings))
    if settings.as_json:
        console.as_json(
            [
                {
                    "check": one.check,
                    "ok": one.level != "problem",
                    "level": one.level.value,
                    "message": one.message,
                    "hint": one.hint or None,
                }
                for one in found
            ]
        )
    else:
        _show(found, settings)
    return ExitCode.INCOMPLETE if any(one.level == "problem" for one in found) else ExitCode.OK


async def _look(settings: Settings) -> list["Advice"]:
    from runner.checkup.api import check_api  # late: the API's clients and the database come along
    from runner.checkup.machine import check_machine

    environment = process_environment()
    return [
        *[advice async for advice in check_api(settings, environment)],
        *check_machine(settings, environment),
    ]


def _show(found: list["Advice"], settings: Settings) -> None:
    wide = max(len(one.check) for one in found)
    margin = " " * (len("problem") + wide + 4)
    width = max(40, console.width() or 10_000)
    for one in found:
        head = f"{one.level:<7}  {one.check:<{wide}}  "
        for line in _folded(f"{head}{one.message}", width, margin):
            console.result(line, _STYLES[one.level])
        for line in _folded(f"{margin}{one.hint}", width, margin) if one.hint else ():
            console.result(line)
    problems = sum(one.level == "problem" for one in found)
    if problems:
        again = then(settings, "doctor")
        console.result(f"{'One problem' if problems == 1 else f'{problems} problems'}. Next: {again}", "bold")
    else:
        console.result(f"Ready. Next: {then(settings, 'check', 'SHEET')}", "bold")


def _folded(text: str, width: int, margin: str) -> list[str]:
    """Lines that end at a word, and go on below the text."""
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
