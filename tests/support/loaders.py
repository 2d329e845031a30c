"""Data sets, read by the libraries that users load them with, in a process of their own, offline."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def loaded(folder: Path, code: str) -> Any:
    """What `code` leaves in `told`, by way of JSON. It runs in `folder`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    offline = {"HF_HOME": str(folder / ".hf"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    quiet = "import json, logging; logging.disable()\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{quiet}{code}\nprint(json.dumps(told))"],
        cwd=folder,
        env=env | offline | {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
