"""Lays out the problems of a sheet in blocks, a cause each. Pure."""

from collections.abc import Iterator, Sequence

from jobs.problems import Problem
from runner.cli.console.folding import folded
from runner.humanize import count_of

_SHOWN = 200
"""Blocks; a file has all problems."""
_VALUES = 3
"""Values that a block quotes."""
_RANGES = 8
"""Ranges of rows that a block names."""
_CHOICES = "One of: "


def blocks(problems: Sequence[Problem], wide: int | None) -> Iterator[tuple[str, str]]:
    """Lines with their styles: where it is, what stands there, why it is invalid, what is valid.

    What is wrong with many rows in the same way is one block, which names the rows and their first values.
    Lines are at most `wide`; None folds none.
    """
    found = causes(problems)
    files = len({problem.file for problem in problems}) > 1
    listed: set[tuple[str | None, str]] = set()
    for same in found[:_SHOWN]:
        yield from _block(same, files=files, listed=listed, wide=wide)
    if len(found) > _SHOWN:
        more = count_of(sum(map(len, found[_SHOWN:])), "more problem")
        yield f"and {more}: `nightsheet check SHEET --output problems.csv` has them all", ""


def causes(problems: Sequence[Problem]) -> list[list[Problem]]:
    """The problems of one cause together, in the order in which the causes first occur."""
    found: dict[tuple[str, str | None, str, str], list[Problem]] = {}
    for problem in problems:
        found.setdefault((problem.file, problem.column, problem.message, problem.hint), []).append(problem)
    return list(found.values())


def _block(
    same: Sequence[Problem], *, files: bool, listed: set[tuple[str | None, str]], wide: int | None
) -> Iterator[tuple[str, str]]:
    """The lines of a block. A list of choices that stands above already is not written once more."""
    first = same[0]
    rows = [problem.row for problem in same if problem.row is not None]
    place = [first.file] if files or not rows else []
    if len(rows) > 1:
        place.append(f"{count_of(len(same), 'row')} ({row_ranges(rows)})")
    elif rows:
        place.append(f"row {rows[0]}")
    where = ", ".join((*place, *([first.column] if first.column else [])))
    values = list(dict.fromkeys(problem.value for problem in same if problem.value))
    said = " | ".join(values[:_VALUES]) + (" | ..." if len(values) > _VALUES else "")
    yield from ((line, "bold") for line in folded(f"{where}: {said}" if said else where, wide))
    hint, mark, choices = first.hint.partition(_CHOICES)
    if mark and (first.column, choices) in listed:
        hint, choices, mark = f"{hint}(The choices stand above.)", "", ""
    elif mark:
        listed.add((first.column, choices))
    for text in (f"{first.message} {hint}".strip(), f"{mark}{choices}"):
        yield from ((line, "") for line in folded(f"  {text}", wide, hang="  ") if text)


def row_ranges(rows: Sequence[int]) -> str:
    """`2-5, 9, 12-14, ...`: rows of a sheet, in order, the first of them at least."""
    ranges: list[list[int]] = []
    for row in sorted(set(rows)):
        if ranges and ranges[-1][1] == row - 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_RANGES]]
    return ", ".join([*shown, *(["..."] if len(ranges) > _RANGES else [])])
