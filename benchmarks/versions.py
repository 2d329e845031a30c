"""What a large sheet costs beside another version of Nightsheet: `python -m benchmarks.versions FOLDER`.

FOLDER is a tree of the other version (`git worktree add ../before REVISION`); both run with this Python. Each
command is a process of its own, over files of its own, and both versions take turns, so that a busy machine
meets them alike: what counts is the ratio of their CPU. An API on loopback answers at once.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks import sample_pictures
from benchmarks.child import ROOT, measured
from benchmarks.loopback import Loopback, Service, loopback
from benchmarks.night import sheet_of
from benchmarks.rounds import Column, Row, options, tell
from benchmarks.throughput import environment

SENT = 20
COLUMNS = (Column("cpu_s", "CPU s", 2, ratio=True),)


def _commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, in its order: each finds what those before it left."""
    sheet, table = str(folder / "night.csv"), ["--db", str(folder / "night.db")]
    out = ["--output-dir", str(folder / "outputs")]
    sending = ["--yes", "--quiet", "--limit", str(SENT), "--poll-min", "0.05", *table, *out]
    return {
        "start-up": ["--version"],
        "check": ["check", sheet, "--json"],
        f"run --limit {SENT}": ["run", sheet, *sending],
        f"resume --limit {SENT}": ["resume", *sending],
        "status": ["status", "--json", *table],
        "export as JSONL": ["export", *table, "--output", str(folder / "all.jsonl")],
        "export as CSV": ["export", *table, "--output", str(folder / "all.csv")],
    }


def _cpu(tree: Path, folder: Path, server: Loopback, words: list[str]) -> float:
    server.begin(Service())
    # A script's own folder is searched first: so each version imports itself.
    command = [sys.executable, str(tree / "nightsheet.py"), *words]
    return measured(command, folder / "out", environment(server.base, folder)).cpu_seconds


def main() -> None:
    """Measure both versions by turns."""
    parser = options("versions", __doc__)
    parser.add_argument("folder", type=Path, help="the tree of the other version")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    known = list(_commands(Path()))
    parser.add_argument("--commands", nargs="+", choices=known, default=known, metavar="COMMAND")
    given = parser.parse_args()
    trees = {"before": given.folder.resolve(), "now": ROOT}
    tables: dict[str, dict[str, Row]] = {}
    for _round in range(given.rounds):
        with (
            tempfile.TemporaryDirectory() as name,
            loopback(sample_pictures.write(Path(name), "small")) as server,
        ):
            folders = {version: Path(name, version) for version in trees}
            for folder in folders.values():
                folder.mkdir()
                sheet_of(folder, given.rows)
            for command in given.commands:
                rows = tables.setdefault(command, {version: Row(version) for version in trees})
                for version, tree in trees.items():
                    folder = folders[version]
                    cpu = _cpu(tree, folder, server, _commands(folder)[command])
                    rows[version].samples.append({"cpu_s": cpu})
    told = [
        (f"{command}, {given.rows:,} rows", list(rows.values()), COLUMNS) for command, rows in tables.items()
    ]
    tell(given.json, told)


if __name__ == "__main__":
    main()
