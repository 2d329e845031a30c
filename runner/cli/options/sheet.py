"""What `check` and `run` are told about a sheet, and the sheet itself where it comes from standard input."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import CannotWrite, UsageProblem

if TYPE_CHECKING:
    from jobs.sheets import SheetSource

_SHEET = "The sheet"
MOST_BYTES = 4_000_000_000
"""Of standard input, which may never end."""

SheetPath = Annotated[
    Path,
    typer.Argument(
        metavar="SHEET", help="The sheet: CSV, TSV, XLSX, YAML, JSON, JSONL, Parquet; - is standard input."
    ),
]
Batch = Annotated[
    str | None,
    typer.Option(
        "--batch", metavar="NAME", help="The batch; the sheet's own, or its stem.", rich_help_panel=_SHEET
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="MODEL", help="The model of rows that name none.", rich_help_panel=_SHEET
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="What it is, where its name does not say.", rich_help_panel=_SHEET
    ),
]
Worksheet = Annotated[
    str | None,
    typer.Option(
        "--worksheet", metavar="NAME", help="Which one of a workbook; the first.", rich_help_panel=_SHEET
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="Of a text that is not UTF-8 or UTF-16, such as cp1252.",
        rich_help_panel=_SHEET,
    ),
]

PriorityBy = Annotated[
    str | None,
    typer.Option(
        "--priority-by",
        metavar="COLUMN",
        help="What goes first: the higher number in this column; priority, where the sheet has it.",
        rich_help_panel=_SHEET,
    ),
]

Dedupe = Annotated[
    bool | None,
    typer.Option(
        "--dedupe/--no-dedupe",
        help="Of jobs that say the same, seed included, send and pay one for all; stays with the batch.",
        rich_help_panel=_SHEET,
    ),
]

Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Also cancel at the API what waits there of rows that are gone; what was not sent is cancelled "
        "anyway.",
        rich_help_panel=_SHEET,
    ),
]


@contextmanager
def source_of(
    sheet: Path, form: str | None, worksheet: str | None, encoding: str | None
) -> Generator["SheetSource", None, None]:
    """The sheet as the command names it. Standard input is copied once, so that it can be read twice.

    Raises:
        CannotWrite: there is no room for the copy.
        UsageProblem: standard input does not come to an end.
    """
    from jobs.sheets import SheetSource

    if str(sheet) != "-":
        yield SheetSource(sheet, form, encoding, worksheet)
        return
    with TemporaryDirectory(prefix="nightsheet-") as folder:  # for nobody else's eyes
        copy = Path(folder) / "sheet"
        try:
            _spool(copy)
        except OSError as error:
            raise CannotWrite(
                f"Standard input cannot be kept in {folder}: {error.strerror}.", "TMPDIR names another place."
            ) from error
        yield SheetSource(copy, form, encoding, worksheet, spooled=True, folder=Path.cwd())


def _spool(copy: Path) -> None:
    left = MOST_BYTES
    with copy.open("wb") as file:
        while piece := sys.stdin.buffer.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise UsageProblem(f"Standard input has more than {MOST_BYTES // 1_000_000:,} MB.")
            file.write(piece)


def repeated(
    batch: str | None,
    model: str | None,
    form: str | None,
    worksheet: str | None,
    encoding: str | None,
    priority_by: str | None,
    dedupe: bool | None,
) -> list[str]:
    """The same options once more, for a command that is shown to be copied."""
    said = {
        "--batch": batch,
        "--model": model,
        "--format": form,
        "--worksheet": worksheet,
        "--encoding": encoding,
        "--priority-by": priority_by,
    }
    words = [word for flag, value in said.items() if value is not None for word in (flag, value)]
    return words if dedupe is None else [*words, "--dedupe" if dedupe else "--no-dedupe"]
