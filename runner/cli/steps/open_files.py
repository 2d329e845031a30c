"""A run keeps within the files that its process may open, before the night finds out."""

from jobs.errors import CannotWrite
from runner.cli.console import console
from runner.limits.open_files import LEAST, open_files, room_in
from runner.settings import Settings

_HIGHER = "`ulimit -n 1024` before it, or LimitNOFILE= of a service, gives it more."


def within_open_files(settings: Settings) -> Settings:
    """The settings of a run as far as its process can follow them; what they lose is told.

    Raises:
        CannotWrite: there is no room for a single job.
    """
    limit = open_files()
    if limit is None:
        return settings
    if limit < LEAST:
        raise CannotWrite(
            f"This process may open {limit} files at once (ulimit -n), and a run needs {LEAST}. "
            "Nothing was sent.",
            _HIGHER,
        )
    room = room_in(
        limit,
        submit_gate=settings.submit_gate,
        downloads=settings.downloads,
        both_ends=settings.emulator,
    )
    fitted = settings.within(room.in_flight, room.downloads)
    if fitted.concurrency != settings.concurrency:
        console.message(
            f"This process may open {limit} files at once (ulimit -n): at most {fitted.concurrency} in "
            f"flight, not {settings.concurrency}. {_HIGHER}"
        )
    return fitted
