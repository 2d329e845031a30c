"""Run a command, and tell how it ended, how long it took, its CPU time and the most memory that it held.

`python -m benchmarks.peak OUT COMMAND...`

The system counts to a process what its parent held when it was started, so the parent has to be a small one:
this one.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Have the command write to the file OUT; its exit code, times and peak as JSON."""
    out, *command = sys.argv[1:]
    with Path(out).open("wb") as file:
        begun = time.perf_counter()
        child = subprocess.Popen(command, stdout=file)
        _pid, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    ended = {
        "code": child.returncode,
        "seconds": seconds,
        "peak_bytes": used.ru_maxrss * unit,
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main()
