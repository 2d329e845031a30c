"""What a rehearsal needs before anything is opened: the emulator, and faults that exist."""

from jobs.errors import UsageProblem
from runner.emulator.faults.profiles import load_faults
from runner.settings import Settings

_OPTIONS = ("faults", "speed")


def check_rehearsal(settings: Settings) -> None:
    """Check that a rehearsal is one: without the emulator, the run would be paid for.

    Raises:
        UsageProblem: an option of the emulator is given without it, or the faults do not exist.
    """
    given = [f"--{name}" for name in _OPTIONS if settings.on_command_line(name)]
    if given and not settings.emulator:
        raise UsageProblem(
            f"{' and '.join(given)}: a rehearsal needs --emulator. Nothing was sent.",
            hint="Add --emulator for a rehearsal, which is free; or leave it out for the API itself.",
        )
    if settings.emulator and settings.faults:
        load_faults(settings.faults)
