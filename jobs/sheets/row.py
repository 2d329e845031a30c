"""What every format hands over: rows of text cells, each with the line its writer finds it on."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from jobs.problems import Problem
from jobs.sheets.images.album import NOWHERE, Album, Reference

Cell = str | tuple[str, ...]
"""Text as written, or a list of such. What it means (a number, a size, an address) its column decides."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job as it was written. Empty cells are left out.

    `line` is where the row begins, as an editor counts; `lines` where a cell stands on a line of its own.
    `files` has the file of a cell that stands in another one. `refused` are columns whose value could not be
    read, which has been told. `expanded`: one of the many that were written as one on this line.
    """

    line: int
    cells: Mapping[str, Cell]
    lines: Mapping[str, int] = field(default_factory=dict)
    refused: Set[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    expanded: bool = False

    def line_of(self, column: str) -> int:
        """Where this cell stands."""
        return self.lines.get(column, self.line)


@dataclass(frozen=True, slots=True)
class Opened:
    """A sheet of any format: what it says once, and a way to read its rows, as often as one likes.

    `header_line` is where the columns are named once for all; None where every row names its own.
    `defaults` hold for all jobs, `model_defaults` for those of a model, before the others. `part` is the part
    of the file that this is, None for the first or only one.
    """

    file: str
    rows: Callable[[], Iterator[Row | Problem]]
    columns: tuple[str, ...]
    header_line: int | None = None
    problems: tuple[Problem, ...] = ()
    batch: str | None = None
    batch_line: int | None = None
    model: str | None = None
    model_line: int | None = None
    defaults: Row = field(default_factory=lambda: Row(0, {}))
    model_defaults: Mapping[str, Row] = field(default_factory=dict)
    image_sets: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)
    album: Album = NOWHERE
    """The pictures of this computer that it may name."""
    part: str | None = None
    copy_of: str | None = None
    """The batch whose results stand in it: it is a copy that an export made."""


def refused(problem: Problem) -> Opened:
    """A sheet in which nothing can be read, and why."""
    return Opened(problem.file, rows=lambda: iter(()), columns=(), problems=(problem,))


def is_blank(text: str) -> bool:
    """Whether a cell says nothing."""
    return not text or text.isspace()


def shown(value: object) -> str | None:
    """A value as a report shows it: short, on one line, without control characters; None stays None."""
    if value is None:
        return None
    text = "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if len(text) > 80:
        text = text[:77] + "..."
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
