"""The command `nightsheet`, and `python -m nightsheet`.

Our packages have names that others use, too. Where a folder of PYTHONPATH has a `jobs.py` or a `runner` of
its own, it would be imported instead of ours: such folders are left out of the search, before the first
import. Nightsheet needs nothing of them.
"""

import gc
import os
import sys

_OURS = ("jobs", "runner", "migrations")
_COLLECTED_AFTER = 10_000
"""New objects. Python looks for garbage after 700: hundreds of times while a command is imported, and finds
none. So many more are a few megabytes at the most."""
_FIRST_AFTER = 200_000
"""More than a command imports. That is no garbage, and to look through it takes a tenth of a start."""
_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is a slow import


def main() -> None:
    """Run the command."""
    gc.set_threshold(_FIRST_AFTER, 10, 10)
    gc.callbacks.append(_begun)
    sys.path[:] = [entry for entry in sys.path if not has_a_namesake(entry)]
    from runner.cli.app import main as command

    command()


def _begun(phase: str, _info: dict[str, int]) -> None:
    """The first look for garbage is over: the next ones come as usual."""
    if phase == "stop":
        gc.set_threshold(_COLLECTED_AFTER, 10, 10)
        gc.callbacks.remove(_begun)


def has_a_namesake(entry: str) -> bool:
    """Whether a folder of the search has a module with the name of one of our packages, and is not ours."""
    folder = entry or os.curdir
    found = (os.path.join(folder, name + end) for name in _OURS for end in ("", ".py"))  # noqa: PTH118
    return any(map(os.path.exists, found)) and not os.path.samefile(folder, _HERE)  # noqa: PTH121


if __name__ == "__main__":
    main()
