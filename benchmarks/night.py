"""What a large sheet costs from its check to its export: `python -m benchmarks.night --rows 1000000`.

The real commands, each in a process of its own: `check` and `run` of a sheet; `resume`, `status` and `export`
of a table that is half done. A plain `resume` is killed once its first submit has come. `run` and the next
`resume` send a few jobs and write every record of the manifests, and this `resume` takes back the consent to
all other jobs; the last one finds both as it left them. An API on loopback answers at once. Time is told
until the first submit, too, and CPU beside the time: another program's work makes the one longer, and not the
other.
"""

import asyncio
import csv
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import large, sample_pictures
from benchmarks.child import ROOT, Ended, measured, nightsheet
from benchmarks.loopback import Loopback, Service, loopback
from benchmarks.peers.calls import MODEL
from benchmarks.rounds import Column, Row, options, tell
from benchmarks.throughput import environment
from runner.http.api_url import origin

MEGABYTE = 1_000_000
SENT = 20
COLUMNS = (
    Column("first_s", "s to its first submit", 2),
    Column("all_s", "s in all", 2),
    Column("cpu_s", "CPU s", 2),
    Column("us_a_row", "CPU us/row", 1),
    Column("peak_mb", "MB", 0),
)


def sheet_of(folder: Path, rows: int) -> Path:
    """A sheet of so many rows, each with a prompt of its own."""
    path = folder / "night.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "model", "size", "note"])
        for number in range(rows):
            writer.writerow([f"row-{number}", large.prompt(number), MODEL, "2048x2048", f"n{number}"])
    return path


def _figures(ended: Ended, rows: int, first: float = 0.0) -> dict[str, float]:
    return {
        "first_s": first,
        "all_s": ended.seconds,
        "cpu_s": ended.cpu_seconds,
        "us_a_row": ended.cpu_seconds / rows * 1_000_000,
        "peak_mb": ended.peak_bytes / MEGABYTE,
    }


def _until_first_submit(half: Path, server: Loopback, rows: int) -> dict[str, float]:
    """`resume` of a copy of the table; its first job takes longer than anybody waits."""
    with tempfile.TemporaryDirectory(dir=half) as name:
        own = Path(name)
        shutil.copy(half / "night.db", own / "night.db")
        server.begin(Service(median=3600))
        places = ("--db", str(own / "night.db"), "--output-dir", str(own / "outputs"))
        begun = time.monotonic()
        with subprocess.Popen(
            nightsheet("resume", "--yes", "--quiet", *places),
            cwd=ROOT,
            env=environment(server.base, own),
            stderr=subprocess.DEVNULL,
        ) as process:
            while not (first := server.figures().first_at):
                assert process.poll() is None, "it has ended without a submit"
                time.sleep(0.01)
            process.kill()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    seconds, cpu = first - begun, used.ru_utime + used.ru_stime
    return _figures(Ended(seconds, cpu, used.ru_maxrss * 1024, ""), rows, seconds)


def _night(folder: Path, rows: int, server: Loopback) -> dict[str, dict[str, float]]:
    """Each command's figures."""
    sheet, out, lines = sheet_of(folder, rows), folder / "out", folder / "all.jsonl"
    half = folder / "half"
    half.mkdir()
    asyncio.run(large.make(half / "night.db", rows, done=rows // 2, origin=origin(server.base)))

    def told(where: Path, *command: str) -> Ended:
        # With a state folder each: what one has sent, the other would hold.
        env = environment(server.base, where)
        return measured(nightsheet(*command, "--db", str(where / "night.db")), out, env)

    def sent(where: Path, *command: str) -> dict[str, float]:
        server.begin(Service())
        begun = time.monotonic()
        flags = ("--yes", "--quiet", "--limit", str(SENT), "--poll-min", "0.05")
        ended = told(where, *command, *flags, "--output-dir", str(where / "outputs"))
        seen = server.figures()
        assert seen.jobs == SENT, "there are no more"
        return _figures(ended, rows, seen.first_at - begun)

    found = {
        "check": _figures(told(folder, "check", str(sheet), "--json"), rows),
        f"run --limit {SENT}": sent(folder, "run", str(sheet)),
        "resume, to its first submit": _until_first_submit(half, server, rows),
        f"resume --limit {SENT}, half done": sent(half, "resume"),
        f"resume --limit {SENT}, once more": sent(half, "resume"),
        "status": _figures(told(half, "status", "--json"), rows),
        "export": _figures(told(half, "export", "--output", str(lines)), rows),
    }
    with lines.open("rb") as file:
        assert sum(1 for _line in file) == rows
    return found


def main() -> None:
    """Measure each command of a large sheet's night."""
    parser = options("night", __doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    table: dict[str, Row] = {}
    with (
        tempfile.TemporaryDirectory() as name,
        loopback(sample_pictures.write(Path(name), "small")) as server,
    ):
        for number in range(given.rounds):
            folder = Path(name, str(number))
            folder.mkdir()
            for command, figures in _night(folder, given.rows, server).items():
                table.setdefault(command, Row(command)).samples.append(figures)
    tell(given.json, [(f"a sheet of {given.rows:,} rows", list(table.values()), COLUMNS)])


if __name__ == "__main__":
    main()
