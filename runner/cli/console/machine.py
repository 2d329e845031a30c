"""Trouble of this machine that may come out of any call to it, in words that name it."""

import errno
import os

from jobs.errors import CannotWrite

_TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})
_LOOP = "Symlink loop from "
"""How pathlib begins its words for one, before Python 3.13."""


def of_this_machine(error: Exception) -> CannotWrite | None:
    """What an error says about this machine, if it does."""
    if isinstance(error, RuntimeError) and str(error).startswith(_LOOP):
        return _loop(str(error).removeprefix(_LOOP).strip("'\""))
    if not isinstance(error, OSError):
        return None
    if error.errno == errno.ELOOP:
        return _loop(str(error.filename or "A name"))
    if error.errno in _TOO_MANY:
        return CannotWrite(
            "Too many files are open at once.",
            hint="Raise the limit (ulimit -n 1024), or lower --concurrency.",
        )
    if isinstance(error, FileNotFoundError) and not _has_current_folder():
        return CannotWrite(
            "The current folder is gone: it was deleted, or moved away.",
            hint="Change to a folder that is there (cd), and run the command again.",
        )
    return None


def _loop(name: str) -> CannotWrite:
    return CannotWrite(
        f"{name} is a link that leads to itself.", hint="Name the file itself, or fix the link."
    )


def _has_current_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same, and reads like a use of it
    except FileNotFoundError:
        return False
    return True
