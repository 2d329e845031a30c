"""Words of the command line: times of this place, and commands that work when they are copied."""

import shlex
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from jobs.catalog.publisher import PUBLISHER_PREFIX

if TYPE_CHECKING:
    from runner.settings import Settings


_WRITES_IMAGES = frozenset({"run", "resume", "doctor"})
"""Commands that take --output-dir and --upload."""


def clock_time(moment: datetime, now: datetime) -> str:
    """A moment on the wall clock here, with its day if that is not today."""
    there, here = moment.astimezone(), now.astimezone()
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%a %H:%M}"


def zone(now: datetime) -> tzinfo:
    """The time of this place at the offset that it has now, so that one heading holds for every line."""
    found = now.astimezone().tzinfo
    assert found is not None
    return found


def zone_name(now: datetime) -> str:
    """`UTC+02:00`: what a heading says of the times below it."""
    offset = f"{now.astimezone():%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}" if offset.strip("+-0") else "UTC"


def brief_model(model: str) -> str:
    """A model's id without its publisher, for where space is short."""
    return model.removeprefix(PUBLISHER_PREFIX)


def then(settings: "Settings", verb: str, *arguments: str) -> str:
    """A command to go on with, for the same database and API as this one."""
    words = ["nightsheet", verb, *arguments]
    if settings.emulator:
        words.append("--emulator")
    if settings.db is not None:
        words += ["--db", str(settings.db)]
    if settings.output_dir is not None and verb in _WRITES_IMAGES:
        words += ["--output-dir", str(settings.output_dir)]
    if settings.on_command_line("upload") and verb in {*_WRITES_IMAGES, "check"}:
        words += ["--upload", str(settings.upload)]
    return shlex.join(words)
