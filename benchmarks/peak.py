"""Run a command, and tell how it ended and the most memory that it held.

`python -m benchmarks.peak OUT COMMAND...`

The system counts to a process what its parent held when it was started, so the parent has to be a small one:
this one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Have the command write to the file OUT; its exit code and its peak in bytes as JSON."""
    out, *command = sys.argv[1:]
    with Path(out).open("wb") as file:
        child = subprocess.Popen(command, stdout=file)
        _pid, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    sys.stdout.write(json.dumps({"code": child.returncode, "peak_bytes": used.ru_maxrss * unit}))


if __name__ == "__main__":
    main()
