"""Fits a table into a narrow terminal: shorter cells first, then fewer columns. Pure."""

from collections.abc import Callable, Mapping, Sequence

from rich.cells import cell_len

Brief = Mapping[str, Callable[[str], str]]
"""By column: a shorter form of a cell, for where space is short."""

_GAP = 2
_FLOWS = 16
"""Cells of a terminal that a flowing column needs at least."""


def fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    room: int,
    flowing: Sequence[str] = (),
    spare: Sequence[str] = (),
    brief: Brief | None = None,
) -> tuple[Sequence[str], list[list[str]], int]:
    """The columns and rows to be shown in `room` cells, and how many they need, which may still be more."""
    cells = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    widths = _widths(cells, flowing)
    if _needed(widths) > room:
        cells |= {name: [shorten(cell) for cell in cells[name]] for name, shorten in (brief or {}).items()}
        widths = _widths(cells, flowing)
    left_out: list[str] = []
    for name in spare:
        if _needed(widths, left_out) <= room:
            break
        left_out.append(name)
    for name in tuple(reversed(left_out)):  # a narrow column may have room again
        fewer = [other for other in left_out if other != name]
        if _needed(widths, fewer) <= room:
            left_out = fewer
    shown = [name for name in columns if name not in left_out]
    return (
        shown,
        [list(row) for row in zip(*(cells[name] for name in shown), strict=True)],
        _needed(widths, left_out),
    )


def _widths(cells: Mapping[str, Sequence[str]], flowing: Sequence[str]) -> dict[str, int]:
    widths = {name: max(map(cell_len, (name, *column))) for name, column in cells.items()}
    return {name: min(wide, _FLOWS) if name in flowing else wide for name, wide in widths.items()}


def _needed(widths: Mapping[str, int], without: Sequence[str] = ()) -> int:
    kept = [wide for name, wide in widths.items() if name not in without]
    return sum(kept) + _GAP * (len(kept) - 1)
