"""An opened sheet: what every format provides, and what only a table or only a document has."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from jobs.problems import Problem
from jobs.sheets.images.album import NOWHERE, Album, Reference
from jobs.sheets.row import Row

Rows = Callable[[], Iterator[Row | Problem]]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What every sheet has: its rows, which can be read as often as one likes, and what is known before them.

    `header_line` is the line that names the columns once for all rows; None where every row names its own.
    `own` are columns that can only be the user's own, for they hold objects. `warnings` are those of the
    sheet as a whole. `album` holds the images of this computer that the sheet may name.
    """

    file: str
    rows: Rows
    columns: tuple[str, ...]
    header_line: int | None = None
    own: Set[str] = frozenset()
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    album: Album = NOWHERE


@dataclass(frozen=True, slots=True)
class TableSheet(_Opened):
    """One job a record; only the names of the columns stand once for all of them.

    `worksheet` is None for the first one that can be seen, and in a format without worksheets. `copy_of` is
    the batch whose results stand in the sheet, where it is a copy that an export made.
    """

    worksheet: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentSheet(_Opened):
    """Jobs, and values that are written once for all of them.

    `defaults` apply to all jobs, `model_defaults` to those of one model, where they take precedence.
    `image_sets` are lists of images that a job names instead of writing them out.
    """

    batch: str | None = None
    batch_line: int | None = None
    model: str | None = None
    model_line: int | None = None
    defaults: Row = field(default_factory=lambda: Row(0, {}))
    model_defaults: Mapping[str, Row] = field(default_factory=dict)
    image_sets: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)


OpenedSheet = TableSheet | DocumentSheet


def unreadable(problem: Problem) -> TableSheet:
    """A sheet in which nothing can be read, and why."""
    return TableSheet(problem.file, rows=lambda: iter(()), columns=(), problems=(problem,))


def image_sets_of(sheet: OpenedSheet) -> Mapping[str, tuple[Reference, ...]]:
    """The sheet's image sets by name; none in a table."""
    return sheet.image_sets if isinstance(sheet, DocumentSheet) else {}
