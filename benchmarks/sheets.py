"""How long a large sheet is checked, and how much memory that takes: `python -m benchmarks.sheets`.

Three sheets: one with many rows, one whose rows name pictures of this computer, and one of a few lines that
stand for very many jobs. Each is checked by the real command in a process of its own; its peak is the
operating system's own figure.
"""

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import measured, nightsheet

SERIES = "bytedance/seedream-4-5/sequential"
SINGLE = "bytedance/seedream-4-5/text-to-image"
EDIT = "bytedance/seedream-4-5/edit"
PICTURES = 20
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One check: what it found, how long it took, and the most memory it held."""

    jobs: int
    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Limit:
    """What is promised on two cores; no promise of time where `seconds` is None."""

    peak_bytes: int
    seconds: float | None = None


ROWS = Limit(250 * MEGABYTE, 30)
MATRIX = Limit(250 * MEGABYTE)


def rows_sheet(folder: Path, rows: int) -> Path:
    """A CSV sheet as people have it: ids, prompts of a line, a count, a column of their own."""
    path = folder / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "model", "size", "count", "note"])
        for number in range(rows):
            prompt = f"Generate 2 images of pier number {number} in the fog, long exposure, film grain"
            writer.writerow([f"row-{number}", prompt, SERIES, "2048x2048", 2, f"n{number}"])
    return path


def pictured_sheet(folder: Path, rows: int) -> Path:
    """A CSV sheet whose rows name three each of the same few pictures, which lie beside it."""
    from PIL import Image

    for number in range(PICTURES):
        noise = Image.effect_noise((1024, 768), 40 + number)
        noise.convert("RGB").save(folder / f"{number}.jpg", quality=85)
    path = folder / "pictured.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "model", "images"])
        for number in range(rows):
            images = "|".join(f"{(number + more) % PICTURES}.jpg" for more in range(3))
            writer.writerow([f"row-{number}", f"Pier number {number} in the fog", EDIT, images])
    return path


def matrix_sheet(folder: Path, jobs: int) -> Path:
    """A sheet of one job that stands for this many, or a few more: three variables of like length."""
    path = folder / "matrix.json"
    side = max(1, round(jobs ** (1 / 3)))
    last = -(-jobs // (side * side))
    matrix = {
        name: [f"{name} {number}" for number in range(many)]
        for name, many in (("animal", side), ("style", side), ("place", last))
    }
    job = {"id": "zoo", "prompt": "A {animal} in {style}, at {place}", "matrix": matrix}
    path.write_text(json.dumps({"model": SINGLE, "jobs": [job]}, indent=1), encoding="utf-8")
    return path


def checked(sheet: Path) -> Measured:
    """Check a sheet in a process of its own."""
    out = sheet.with_suffix(".out")
    ended = measured(nightsheet("check", str(sheet), "--json", "--emulator"), out)
    return Measured(json.loads(ended.output)["jobs"], ended.seconds, ended.peak_bytes)


def _lines(rows: int, jobs: int) -> Iterator[tuple[str, Measured, Limit]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "rows of a CSV", checked(rows_sheet(Path(folder), rows)), ROWS
        yield "rows with pictures", checked(pictured_sheet(Path(folder), rows)), ROWS
        yield "jobs of a matrix", checked(matrix_sheet(Path(folder), jobs)), MATRIX


def main() -> None:
    """Measure them, and end with 1 where a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sheets", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    given = parser.parse_args()
    kept = True
    for name, found, limit in _lines(given.rows, given.jobs):
        in_time = limit.seconds is None or found.seconds <= limit.seconds
        kept = kept and in_time and found.peak_bytes <= limit.peak_bytes
        promised = "" if limit.seconds is None else f" (at most {limit.seconds:.0f} s)"
        print(
            f"{found.jobs:>9,} {name:18} {found.seconds:6.1f} s{promised}, "
            f"{found.peak_bytes / MEGABYTE:.0f} MB (at most {limit.peak_bytes // MEGABYTE} MB)"
        )
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
