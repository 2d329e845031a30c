"""Cases measured by turns, so that a slow minute of the machine meets them all; then a table, or JSON.

A round measures each case once. A figure is the median over the rounds, its noise is the spread: the distance
of the largest from the smallest, as a share of the median.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

Sample = Mapping[str, float]
"""What one measurement of a case found, by the name of the figure."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure in the table. With `ratio`, it stands beside it how many times the first case's it is."""

    name: str
    heading: str
    digits: int = 1
    ratio: bool = False

    @property
    def headings(self) -> list[str]:
        """What stands above it."""
        return [self.heading, "ratio"] if self.ratio else [self.heading]


@dataclass(frozen=True, slots=True)
class Row:
    """A case and its figures, each of one round; or why it was not measured."""

    case: str
    samples: list[dict[str, float]] = field(default_factory=list)
    skipped: str | None = None

    def median(self, name: str) -> float:
        """The middle one of a figure's values."""
        return median(sample[name] for sample in self.samples)

    def spread(self, name: str) -> float:
        """How far its values lie apart, as a share of their median."""
        values = [sample[name] for sample in self.samples]
        middle = median(values)
        return (max(values) - min(values)) / middle if middle else 0.0


def by_turns(cases: Mapping[str, Callable[[], Sample]], rounds: int) -> list[Row]:
    """Measure each case once a round, in their order."""
    rows = {case: Row(case) for case in cases}
    for number in range(rounds):
        for case, measure in cases.items():
            _say(f"round {number + 1} of {rounds}: {case}")
            rows[case].samples.append(dict(measure()))
    _say("")
    return list(rows.values())


def table(title: str, rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """The medians side by side. Behind a figure that was measured more than once is half of its spread."""
    first = next((row for row in rows if row.samples), Row(""))
    head = ["", *(heading for column in columns for heading in column.headings)]
    lines = [head, *([row.case, *_cells(row, first, columns)] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    aligned = ("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines)
    told = [
        f"{line}  {row.skipped or ''}".rstrip() for line, row in zip(aligned, [Row(""), *rows], strict=True)
    ]
    return "\n".join([title, *told])


def _cells(row: Row, first: Row, columns: Sequence[Column]) -> Iterator[str]:
    for column in columns:
        yield _figure(row, column) if row.samples else "-"
        if column.ratio:
            base = first.median(column.name) if row.samples else 0.0
            yield f"{row.median(column.name) / base:.2f}" if base else "-"


def _figure(row: Row, column: Column) -> str:
    text = f"{row.median(column.name):,.{column.digits}f}"
    return text if len(row.samples) == 1 else f"{text} ±{row.spread(column.name) * 50:.0f}%"


def options(prog: str, about: str | None) -> argparse.ArgumentParser:
    """The options that every measurement has."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{prog}", description=about)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the tables")
    return parser


def machine() -> dict[str, str | int | None]:
    """What a reader has to know of the machine."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def tell(
    as_json: bool, tables: Sequence[tuple[str, Sequence[Row], Sequence[Column]]], notes: Sequence[str] = ()
) -> None:
    """Print the tables, then the notes; or all of it with every single figure as JSON."""
    if as_json:
        told = [{"title": title, "rows": [asdict(row) for row in rows]} for title, rows, _columns in tables]
        print(json.dumps({"machine": machine(), "tables": told, "notes": list(notes)}))
        return
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}; medians, ± half of the spread")
    for title, rows, columns in tables:
        print()
        print(table(title, rows, columns))
    for note in notes:
        print(f"  {note}")


def _say(text: str) -> None:
    """On a terminal, what is being measured now."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
