"""One line of a checkup: how something stands, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """A run can begin; it may not end as wanted."""
    PROBLEM = "problem"
    """A run would be refused, or pause."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that was looked at."""

    check: str
    level: Level
    message: str
    hint: str = ""


def ok(check: str, message: str, hint: str = "") -> Advice:
    """Nothing to do."""
    return Advice(check, Level.OK, message, hint)


def warning(check: str, message: str, hint: str = "") -> Advice:
    """Something to know."""
    return Advice(check, Level.WARNING, message, hint)


def problem(check: str, message: str, hint: str = "") -> Advice:
    """Something to fix first."""
    return Advice(check, Level.PROBLEM, message, hint)
