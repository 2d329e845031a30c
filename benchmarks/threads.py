"""Which threads of a run take the CPU of a job: `python -m benchmarks.threads`.

The real command over the loopback API of `benchmarks.throughput`, in a process that looks at its own threads
ten times a second; what a thread takes in its last tenth is not told. Linux alone tells the CPU of a thread.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import sample_pictures
from benchmarks.child import measured, python
from benchmarks.loopback import Loopback, Service, loopback
from benchmarks.rounds import Column, Row, by_turns, options, tell
from benchmarks.throughput import Work, command_of, environment

LOOK_SECONDS = 0.1
GROUPS = {
    "MainThread": "event loop",
    "_connection_worker_thread": "database",
    "AnyIO worker": "files: written, synced, checked",
}
"""What a thread does, by a part of its name."""
OTHERS = "others"
COLUMNS = (Column("cpu_ms", "CPU ms/job", 2), Column("share", "% of the process", 0))


def group_of(name: str) -> str:
    """What the thread of this name does."""
    return next((what for part, what in GROUPS.items() if part in name), OTHERS)


def _seconds(native_id: int | None) -> float:
    """The CPU that a thread of this process has had; nothing once it has ended."""
    try:
        told = Path(f"/proc/self/task/{native_id}/stat").read_text()
    except OSError:
        return 0.0
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run_and_tell(out: Path, command: Callable[[], None]) -> None:
    """Run a command in this process, and write into `out` what each group of threads has had."""
    seen: dict[int, tuple[str, float]] = {}
    ended = threading.Event()

    def look() -> None:
        for thread in threading.enumerate():
            if (seconds := _seconds(thread.native_id)) and thread.native_id is not None:
                seen[thread.native_id] = group_of(thread.name), seconds

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            look()

    threading.Thread(target=watch, name="watch", daemon=True).start()
    try:
        command()
    finally:
        ended.set()
        look()
        taken = dict.fromkeys([*GROUPS.values(), OTHERS], 0.0)
        for group, seconds in seen.values():
            taken[group] += seconds
        taken["process"] = time.process_time()
        out.write_text(json.dumps(taken), encoding="utf-8")


def _once(server: Loopback, work: Work) -> dict[str, float]:
    server.begin(work.service)
    with tempfile.TemporaryDirectory() as name:
        folder, told = Path(name), Path(name, "threads.json")
        _python, _module, _name, *arguments = command_of("nightsheet", server.base, folder, work)
        command = python("-m", "benchmarks.threads", "--child", str(told), *arguments)
        measured(command, folder / "out", environment(server.base, folder))
        return {group: float(seconds) for group, seconds in json.loads(told.read_text()).items()}


def main() -> None:
    """Measure one run, or several."""
    if sys.argv[1:2] == ["--child"]:
        from nightsheet import main as command

        out = Path(sys.argv[2])
        sys.argv[1:] = sys.argv[3:]
        run_and_tell(out, command)
        return
    parser = options("threads", __doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        loopback(sample_pictures.write(Path(name), "small")) as server,
    ):
        flags = ("--poll-min", "0.001", "--poll-max", "0.001")
        work = Work(given.jobs, given.concurrency, 0.001, Service(), flags)
        (run,) = by_turns({"run": lambda: _once(server, work)}, given.rounds)
    rows = [Row(group) for group in run.samples[0]]
    for row in rows:
        for sample in run.samples:
            share = sample[row.case] / sample["process"] * 100
            row.samples.append({"cpu_ms": sample[row.case] / given.jobs * 1000, "share": share})
    title = f"{given.jobs} jobs, {given.concurrency} at once, instant service, start-up included"
    tell(given.json, [(title, rows, COLUMNS)])


if __name__ == "__main__":
    main()
