"""Where a sheet's bytes are, and what its user said about them because they cannot say it themselves."""

from dataclasses import dataclass
from pathlib import Path

STANDARD_INPUT = "standard input"


@dataclass(frozen=True, slots=True)
class Source:
    """A sheet not yet opened. `format`, `encoding` and `worksheet` are None where nothing was said.

    `spooled`: `path` is a private copy of standard input, which can be read only once. It has no name to
    take the batch's from, and no folder that other files of the sheet could lie in.
    """

    path: Path
    format: str | None = None
    encoding: str | None = None
    worksheet: str | None = None
    spooled: bool = False

    @property
    def name(self) -> str:
        """What problems call it."""
        return STANDARD_INPUT if self.spooled else str(self.path)

    def place(self, part: str | None) -> str:
        """What a batch remembers of it: the file, and the part of it where that is not the first.

        So two worksheets of one workbook are not taken for one sheet that was edited. Standard input is one
        place, whatever is sent through it: the batch's name alone says what belongs together.
        """
        if self.spooled:
            return STANDARD_INPUT
        return f"{self.path.resolve()}{'' if part is None else f'#{part}'}"
