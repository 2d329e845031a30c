"""Where a sheet's bytes are, and what its user said about them because they cannot say it themselves."""

from dataclasses import dataclass
from pathlib import Path

from jobs.errors import UsageProblem
from jobs.paths import not_utf8
from jobs.sheets.images.album import Album, Way
from jobs.sheets.images.find import Folders

STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class SheetSource:
    """A sheet not yet opened. `format`, `encoding` and `worksheet` are None where nothing was said.

    `spooled`: `path` is a private copy of standard input, which can be read only once. It has no name to
    take the batch's from, and no folder that other files of the sheet could lie in.

    `folder` is where the pictures lie that it names, where that is not its own folder; `picture_folders` are
    others that they may lie in; `way` is how they get to the API.
    """

    path: Path
    format: str | None = None
    encoding: str | None = None
    worksheet: str | None = None
    spooled: bool = False
    folder: Path | None = None
    picture_folders: tuple[Path, ...] = ()
    way: Way = Way.REFUSE

    @property
    def name(self) -> str:
        """What problems call it."""
        return STANDARD_INPUT if self.spooled else str(self.path)

    def place(self, worksheet: str | None) -> str:
        """What a batch remembers of it: the file, and the worksheet where that is not the first.

        So two worksheets of one workbook are not taken for one sheet that was edited. Standard input is one
        place, whatever is sent through it: the batch's name alone says what belongs together.

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

    def album(self) -> Album:
        """The pictures of this computer that it may name, none of them opened yet."""
        own = self.folder or (None if self.spooled else self.path.resolve().parent)
        return Album(None if own is None else Folders.of(own, self.picture_folders), self.way)
