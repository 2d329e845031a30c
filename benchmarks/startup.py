"""How long a command takes that has nothing to do: `python -m benchmarks.startup`.

Bare Python is what no command of it can beat. `status` is asked of a small table and of a large one, half of
which is done.
"""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import large
from benchmarks.child import ROOT, measured, nightsheet, python
from benchmarks.rounds import Column, by_turns, options, tell

MEGABYTE = 1_000_000
SMALL = 20
SHEET = ROOT / "sample_batches" / "first-night.csv"
ORIGIN = "https://model-api.runcomfy.net"
COLUMNS = (
    Column("ms", "ms", 0, ratio=True),
    Column("cpu_ms", "CPU ms", 0),
    Column("peak_mb", "MB", 0),
)


def _taken(command: list[str], out: Path) -> dict[str, float]:
    ended = measured(command, out)
    return {
        "ms": ended.seconds * 1000,
        "cpu_ms": ended.cpu_seconds * 1000,
        "peak_mb": ended.peak_bytes / MEGABYTE,
    }


def main() -> None:
    """Measure the commands that people wait for."""
    parser = options("startup", __doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in (SMALL, given.rows):
            asyncio.run(large.make(folder / f"{rows}.db", rows, done=rows // 2, origin=ORIGIN))
        commands = {
            "python -c pass": python("-c", "pass"),
            "--version": nightsheet("--version"),
            "--help": nightsheet("--help"),
            "models": nightsheet("models"),
            "check": nightsheet("check", str(SHEET)),
            "batches": nightsheet("batches", "--db", str(folder / f"{SMALL}.db")),
        }
        for rows in (SMALL, given.rows):
            commands[f"status, {rows:,} rows"] = nightsheet("status", "--db", str(folder / f"{rows}.db"))
        cases = {told: partial(_taken, command, folder / "out") for told, command in commands.items()}
        rows_of_cases = by_turns(cases, given.rounds)
    tell(given.json, [("from the start of the process to its end", rows_of_cases, COLUMNS)])


if __name__ == "__main__":
    main()
