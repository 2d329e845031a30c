"""The command in surroundings of its own: another API base, a limit of the system, a defect of ours."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.support.command import Desk

COMMAND = (sys.executable, "-m", "runner.cli")


def start(
    here: Desk, words: Sequence[str], command: Sequence[str] = COMMAND, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `command` with these words in the desk's folder; the caller waits for it."""
    return subprocess.Popen(
        [*command, *words],
        cwd=here.folder,
        env={**here.env, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
