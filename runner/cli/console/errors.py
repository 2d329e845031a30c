"""From an error to words and an exit code."""

import errno
import traceback
from collections.abc import Callable
from contextlib import suppress

from jobs.errors import NightsheetError, SheetProblems
from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.console.machine import of_this_machine
from runner.cli.console.problem_blocks import blocks
from runner.cli.console.pydantic_messages import reworded

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def guarded(body: Callable[[], int | None], *, verbose: bool) -> int:
    """Run a command; its exit code, whatever happens. No traceback for anything that a user can cause."""
    try:
        return body() or ExitCode.OK
    except KeyboardInterrupt:
        console.message("Interrupted.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        console.forget_output()
        return ExitCode.OK
    except NightsheetError as error:
        show_error(error)
        return error.exit_code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            return _no_room(error)
        first = _first(error)
        if isinstance(first, NightsheetError):
            show_error(first)
            return first.exit_code
        if (found := of_this_machine(_innermost(error))) is not None:
            show_error(found)
            return found.exit_code
        return _defect(error, verbose=verbose)


def _no_room(error: OSError) -> int:
    """Standard output is a file on a full disk; an error about any other file carries its name."""
    console.forget_output()
    with suppress(OSError):
        console.message(f"The output cannot be written: {error.strerror}.", style="bold red")
    return ExitCode.CANNOT_WRITE


def show_error(error: NightsheetError) -> None:
    """An error in plain words, with all the problems of a sheet."""
    if isinstance(error, SheetProblems):
        for line, style in blocks(error.problems, console.width(errors=True)):
            console.message(line, style)
    console.message(reworded(error.message, error.__cause__), style="bold red")
    hint = error.hint
    if hint and not (isinstance(error, SheetProblems) and any(p.hint == hint for p in error.problems)):
        console.message(hint)


def _first(error: Exception) -> Exception:
    """The first error of a group that was meant for the user, if all of it was; else the error itself."""
    if not isinstance(error, ExceptionGroup):
        return error
    firsts = [_first(inner) for inner in error.exceptions]
    return firsts[0] if all(isinstance(inner, NightsheetError) for inner in firsts) else error


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _defect(error: Exception, *, verbose: bool) -> int:
    inner = _innermost(error)
    console.message(f"This is a defect in Nightsheet: {type(inner).__name__}: {inner}", style="bold red")
    if verbose:
        for line in "".join(traceback.format_exception(error)).splitlines():
            console.message(line)
    else:
        console.message("What was paid for is kept: `nightsheet status` shows it. --verbose shows more.")
    return ExitCode.DEFECT
