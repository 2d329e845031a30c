"""Prompts from a text file, a line each; blank lines are left out. Only from the sheet's own folder."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from jobs.problems import Problem, at
from jobs.sheets.families.members import Prompts
from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.source import SheetSource
from jobs.sheets.text_rules import why_not_text

_PLACE = "Put it into the sheet's folder, or a folder in it, and name it from there."


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines that are not blank, with their numbers; can be read any number of times."""

    path: Path
    encoding: str | None

    def __iter__(self) -> Iterator[tuple[int, str]]:
        with closing(read_lines(self.path, self.encoding)) as lines:
            for number, line in enumerate(lines, 1):
                if text := line.strip():
                    yield number, text


def read_prompts(source: SheetSource, name: str, line: int) -> Prompts | Problem:
    """The file of this name beside the sheet; read once, to count its lines and to validate them."""
    place = at(source.name, line, column="prompts", value=name)
    path = _below(source, name)
    if isinstance(path, str):
        return place.problem(path, _PLACE)
    lines = _Lines(path, source.encoding)
    size = 0
    try:
        for number, text in lines:
            size += 1
            if sentence := why_not_text(text):
                return at(str(path), number, value=text).problem(sentence)
    except BadText as bad:
        return at(str(path), bad.line).problem(bad.message, bad.hint)
    if not size:
        return place.problem("There is no prompt in this file.")
    return Prompts(str(path), size, lines)


def _below(source: SheetSource, name: str) -> Path | str:
    """The file, or why it is not read: a sheet from somebody else must not send arbitrary files."""
    if source.spooled:
        return "A sheet from standard input has no folder that a file could be in."
    folder = source.path.resolve().parent
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder)
        if inside and not path.is_file():
            return "There is no such file in the sheet's folder."
    except (OSError, ValueError, RuntimeError):
        return "This cannot be the name of a file."
    return path if inside else "The file is not in the sheet's folder, so it is not read."
