"""The options that describe a sheet, and the sheet itself where it comes from standard input."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from jobs.errors import CannotWrite, UsageProblem
from jobs.sheets import SheetSource

_PANEL = "The sheet"
MOST_BYTES = 4_000_000_000
"""The most that is read from standard input, which may never end."""

Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="MODEL", help="The model for rows that name none.", rich_help_panel=_PANEL
    ),
]
Worksheet = Annotated[
    str | None,
    typer.Option(
        "--worksheet",
        metavar="NAME",
        help="The worksheet. Default: the first.",
        rich_help_panel=_PANEL,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="The encoding, if it is not UTF-8 or UTF-16.",
        rich_help_panel=_PANEL,
    ),
]


Subject = Annotated[
    str | None,
    typer.Option(
        "--subject",
        metavar="TEXT",
        help="What {prompt} stands for in styles.",
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True, slots=True)
class SheetOptions:
    """The group of options that `check` and `run` share."""

    path: Annotated[
        Path,
        typer.Argument(
            metavar="SHEET",
            help="The sheet: CSV, TSV, XLSX, YAML, JSON, JSONL, TXT, Parquet; - is standard input.",
        ),
    ]
    batch: Annotated[
        str | None,
        typer.Option(
            "--batch",
            metavar="NAME",
            help="The batch's name. Default: the file's.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    model: Model = None
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="The format, if the name does not say it.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    worksheet: Worksheet = None
    visible_only: Annotated[
        bool,
        typer.Option("--visible-only", help="Leave out rows that a workbook hides.", rich_help_panel=_PANEL),
    ] = False
    encoding: Encoding = None
    subject: Subject = None
    priority_by: Annotated[
        str | None,
        typer.Option(
            "--priority-by",
            metavar="COLUMN",
            help="Higher numbers go first. Default: priority.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    dedupe: Annotated[
        bool | None,
        typer.Option(
            "--dedupe/--no-dedupe",
            help="Send identical jobs once. Also --no-dedupe.",
            rich_help_panel=_PANEL,
        ),
    ] = None

    def source(self) -> AbstractContextManager[SheetSource]:
        """The sheet itself; see `source_of`."""
        return source_of(
            *(self.path, self.format, self.worksheet, self.encoding),
            visible_only=self.visible_only,
            subject=self.subject,
        )

    def words(self) -> list[str]:
        """The sheet and its options as words of a command line, for a command that is shown to be copied."""
        options = {
            "--batch": self.batch,
            "--model": self.model,
            "--format": self.format,
            "--worksheet": self.worksheet,
            "--encoding": self.encoding,
            "--subject": self.subject,
            "--priority-by": self.priority_by,
        }
        words = [word for flag, value in options.items() if value is not None for word in (flag, value)]
        if self.visible_only:
            words.append("--visible-only")
        if self.dedupe is not None:
            words.append("--dedupe" if self.dedupe else "--no-dedupe")
        return [str(self.path), *words]


@contextmanager
def source_of(
    path: Path,
    format_name: str | None,
    worksheet: str | None,
    encoding: str | None,
    *,
    visible_only: bool = False,
    subject: str | None = None,
) -> Iterator[SheetSource]:
    """The sheet that a command names. Standard input is copied first, so that it can be read twice.

    Raises:
        CannotWrite: there is no room for the copy.
        UsageProblem: standard input does not come to an end.
    """
    if str(path) != "-":
        yield SheetSource(path, format_name, encoding, worksheet, visible_only=visible_only, subject=subject)
        return
    with TemporaryDirectory(prefix="nightsheet-") as folder:  # readable by this user alone
        copy = Path(folder) / "sheet"
        try:
            _copy_standard_input(copy)
        except OSError as error:
            raise CannotWrite(
                f"Standard input cannot be kept in {folder}: {error.strerror}.", "TMPDIR names another place."
            ) from error
        yield SheetSource(
            *(copy, format_name, encoding, worksheet),
            spooled=True,
            folder=Path.cwd(),
            visible_only=visible_only,
            subject=subject,
        )


def _copy_standard_input(copy: Path) -> None:
    left = MOST_BYTES
    with copy.open("wb") as file:
        while piece := sys.stdin.buffer.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise UsageProblem(f"Standard input has more than {MOST_BYTES // 1_000_000:,} MB.")
            file.write(piece)
