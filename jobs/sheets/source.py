"""The source of a sheet: where its bytes are, and what the user declares about them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.disk.paths import not_utf8
from jobs.errors import UsageProblem
from jobs.sheets.images.way import Way

if TYPE_CHECKING:
    from jobs.sheets.images.album import Album

STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class SheetSource:
    """A sheet that is not open yet. `format`, `encoding` and `worksheet` are None where undeclared.

    `spooled`: `path` is a private copy of standard input, which can be read only once. It has no name to
    derive the batch's from, and no folder for other files of the sheet.

    `folder` holds the images that the sheet names, where that is not its own folder; `picture_folders` are
    further ones that may; `way` is how images get to the API. `visible_only` leaves out the rows that a
    workbook hides.
    """

    path: Path
    format: str | None = None
    encoding: str | None = None
    worksheet: str | None = None
    spooled: bool = False
    folder: Path | None = None
    picture_folders: tuple[Path, ...] = ()
    way: Way = Way.REFUSE
    visible_only: bool = False
    subject: str | None = None
    """What the styles of a file of styles are for."""

    @property
    def name(self) -> str:
        """The sheet's name in problems."""
        return STANDARD_INPUT if self.spooled else str(self.path)

    def place(self, worksheet: str | None) -> str:
        """What a batch stores of it: the file, and the worksheet where that is not the first.

        So two worksheets of one workbook are never taken for one sheet that was edited. Standard input is a
        single place for all that is sent through it: only the batch's name identifies a sheet there.

        Raises:
            UsageProblem: its path is not UTF-8.
        """
        if self.spooled:
            return STANDARD_INPUT
        path = self.path.resolve()
        if (shown := not_utf8(path)) is not None:
            raise UsageProblem(
                f"The path of the sheet is not UTF-8: {shown}", hint="Rename the file or its folder."
            )
        return f"{path}{'' if worksheet is None else f'#{worksheet}'}"

    def album(self) -> "Album":
        """The images of this computer that it may name, none of them open yet."""
        from jobs.sheets.images.album import Album
        from jobs.sheets.images.find import Folders

        own = self.folder or (None if self.spooled else self.path.resolve().parent)
        return Album(None if own is None else Folders.of(own, self.picture_folders), self.way)
