"""How many jobs a second come home, and what each costs the machine: `python -m benchmarks.throughput`.

The same work for all: submit, two polls, the result, one picture to a file. The product is the real command;
beside it are a script as a competent user writes it, and huey and DBOS over SQLite, where they are installed
(`make bench`). All talk to one API on loopback, which is hardly busy. The peers neither check, hash nor sync
their pictures, and the script remembers nothing. `bare` makes the same calls over aiohttp and nothing else:
what no program over that library can beat.

With an instant service the runner is what is measured. With `--median` jobs take their time, as in life, and
the makespan is held against list scheduling of the same draws.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import sample_pictures
from benchmarks.child import ROOT, measured, nightsheet, python
from benchmarks.loopback import Loopback, Service, ceiling, loopback
from benchmarks.peers.calls import MODEL
from benchmarks.rounds import Column, Row, by_turns, options, tell
from benchmarks.scheduling import bound

MEGABYTE = 1_000_000
PEERS = {"naive": None, "bare": None, "huey": "huey", "dbos": "dbos"}
"""Each runner beside the product, and the package that it needs."""
MODULES = {"naive": "naive", "bare": "bare", "huey": "huey_queue", "dbos": "dbos_flow"}
COLUMNS = (
    Column("jobs_a_second", "jobs/s", ratio=True),
    Column("cpu_ms", "CPU ms/job", ratio=True),
    Column("peak_mb", "MB", 0),
    Column("connections", "conns", 0),
    Column("server_busy", "server busy %", 0),
)
SERVED = (*COLUMNS, Column("polls", "polls/job", 2), Column("over_bound", "makespan/bound", 3))


@dataclass(frozen=True, slots=True)
class Work:
    """What each runner has to do."""

    jobs: int
    concurrency: int
    poll_seconds: float
    service: Service
    flags: tuple[str, ...] = ()
    """More of the product's own."""


def command_of(runner: str, base: str, folder: Path, work: Work) -> list[str]:
    """The command line of a runner, over files in `folder`."""
    if runner != "nightsheet":
        told = (str(work.jobs), str(work.concurrency), str(work.poll_seconds))
        return python("-m", f"benchmarks.peers.{MODULES[runner]}", base, str(folder), *told)
    sheet = folder / "sheet.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "model"])
        writer.writerows(
            [f"row-{number}", f"Pier number {number} in the fog, long exposure", MODEL]
            for number in range(work.jobs)
        )
    return nightsheet(
        *("run", str(sheet), "--yes", "--quiet"),
        *("--db", str(folder / "nightsheet.db"), "--output-dir", str(folder / "outputs")),
        *("--concurrency", str(work.concurrency)),
        *work.flags,
    )


def environment(base: str, folder: Path) -> dict[str, str]:
    """Where the product finds the API, and leaves nothing behind."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHEET_")}
    return inherited | {
        "RUNCOMFY_MODEL_API_BASE": base,
        "RUNCOMFY_API_TOKEN": "benchmark",
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
    }


def run_once(runner: str, server: Loopback, work: Work) -> dict[str, float]:
    """One run of a runner, from nothing. Raises SystemExit where it has not done its work."""
    server.begin(work.service)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = command_of(runner, server.base, folder, work)
        ended = measured(command, folder / "out", environment(server.base, folder))
        held = sum(1 for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))
    seen = server.figures()
    if seen.jobs != work.jobs or held != work.jobs:
        raise SystemExit(f"{runner}: {seen.jobs} pictures were sent and {held} are held, not {work.jobs}")
    found = {
        "jobs_a_second": seen.jobs / seen.span,
        "cpu_ms": ended.cpu_seconds / work.jobs * 1000,
        "peak_mb": ended.peak_bytes / MEGABYTE,
        "connections": seen.connections,
        "server_busy": seen.busy * 100,
        "polls": seen.polls / work.jobs,
        "seconds": ended.seconds,
    }
    if work.service.median:
        found["over_bound"] = seen.span / bound(work.service.draws(work.jobs), work.concurrency)
    return found


def measure(server: Loopback, work: Work, runners: Sequence[str], rounds: int) -> list[Row]:
    """All runners that are there, by turns."""
    here = [one for one in runners if not (package := PEERS.get(one)) or find_spec(package)]
    cases: dict[str, Callable[[], dict[str, float]]] = {
        one: partial(run_once, one, server, work) for one in here
    }
    measured_rows = {row.case: row for row in by_turns(cases, rounds)}
    return [measured_rows.get(one, Row(one, skipped="not installed: skipped")) for one in runners]


def main() -> None:
    """Measure each concurrency."""
    parser = options("throughput", __doc__)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--picture", choices=["small", "png", "jpeg"], default="small")
    parser.add_argument("--median", type=float, default=0.0, help="seconds of a job at the API; 0 is at once")
    parser.add_argument("--sigma", type=float, default=0.4)
    parser.add_argument(
        "--poll", type=float, help="seconds between polls; the product's own way if not given"
    )
    parser.add_argument("--runners", nargs="+", default=["naive", "bare", "huey", "dbos", "nightsheet"])
    parser.add_argument("--flags", default="", help="more flags of the product, as one text")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        picture = sample_pictures.write(Path(name), given.picture)
        with loopback(picture) as server:
            tables: list[tuple[str, list[Row], Sequence[Column]]] = []
            notes = []
            for concurrency in given.concurrency:
                raw = ceiling(server, given.jobs, concurrency)
                work = _work(given, concurrency)
                rows = measure(server, work, given.runners, given.rounds)
                what = f"median {given.median:g} s" if given.median else "instant service"
                size = f"a picture of {picture.stat().st_size / 1000:,.0f} kB"
                title = f"{given.jobs} jobs, {concurrency} at once, {what}, {size}"
                tables.append((title, rows, SERVED if given.median else COLUMNS))
                notes.append(
                    f"{concurrency} at once, a client that does next to nothing: "
                    f"{raw.requests / raw.span:,.0f} requests/s; the server could answer "
                    f"{raw.requests / raw.cpu_seconds:,.0f}"
                )
    tell(given.json, tables, notes)


def _work(given: Any, concurrency: int) -> Work:
    service = Service(given.median, given.sigma)
    flags = tuple(given.flags.split())
    if given.poll is not None or not given.median:
        poll = given.poll or 0.001
        return Work(
            given.jobs, concurrency, poll, service, ("--poll-min", str(poll), "--poll-max", str(poll), *flags)
        )
    return Work(given.jobs, concurrency, 2.0, service, flags)


if __name__ == "__main__":
    main()
