"""Words of the command line: times of this place, and commands that work when they are copied."""

import re
import shlex
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from jobs.catalog.publisher import PUBLISHER_PREFIX

if TYPE_CHECKING:
    from runner.settings import Settings


_COMMAND = re.compile(r"`nightsheet (?P<verb>[a-z]+)(?P<rest>[^`]*)`")


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
    flags = (word for flag in settings.flags_for(verb) for word in flag)
    return shlex.join(["nightsheet", verb, *arguments, *flags])


def in_place(text: str, settings: "Settings") -> str:
    """`text`, each command in backticks with the flags by which it goes on with the same database and API."""

    def with_flags(found: re.Match[str]) -> str:
        words = found["rest"].split()
        flags = [flag for flag in settings.flags_for(found["verb"]) if flag[0] not in words]
        return " ".join([found[0].rstrip("`"), *map(shlex.join, flags)]) + "`"

    return _COMMAND.sub(with_flags, text)
