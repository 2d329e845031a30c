"""What a rehearsal needs before anything is opened: the stand-in, and faults that there are."""

from typing import TYPE_CHECKING

from jobs.errors import UsageProblem

if TYPE_CHECKING:
    from runner.settings import Settings

_STEER_IT = ("faults", "speed")


def check_rehearsal(settings: "Settings") -> None:
    """See that whoever asks for a rehearsal gets one: without the stand-in, a night would be paid for.

    Raises:
        UsageProblem: the stand-in is steered on the command line, and is not used; or no such faults.
    """
    said = [f"--{name}" for name in _STEER_IT if settings.on_command_line(name)]
    if said and not settings.emulator:
        raise UsageProblem(
            f"{' and '.join(said)}: a rehearsal needs --emulator. Nothing was sent.",
            hint="Add --emulator for a rehearsal, which is free; or leave it out for the API itself.",
        )
    if settings.emulator and settings.faults:
        from runner.emulator.faults.profiles import load_faults

        load_faults(settings.faults)
