"""Commands of a newcomer, on a machine without a network and without settings of pip."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOT_OURS = ("MAKE", "MFLAGS", "NIGHT", "PIP_", "PYTHON", "RUNCOMFY", "VIRTUAL_ENV")


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; `env` is added to what the machine has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    bare = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        command, cwd=cwd, env=kept | bare | env, capture_output=True, text=True, check=False
    )
