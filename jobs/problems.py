"""Problems of a sheet: what is wrong, and the place in the file where its author finds it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: where it is, what it is, and what would be right.

    `row` counts lines as an editor does, the first being 1; None where the whole file is meant.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a sheet: a file, and in it a line, a column and the value of a cell, as far as known.

    Column and value are as they were read: a report quotes excerpts of them.
    """

    file: str
    line: int | None = None
    column: str | None = None
    value: object = None

    def problem(self, message: str, hint: str = "") -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, excerpt(self.column), excerpt(self.value), message, hint)


def at(file: str, line: int | None = None, *, column: str | None = None, value: object = None) -> Location:
    """The place that a problem is reported at: `at("a.csv", 3, column="size").problem("No such size.")`."""
    return Location(file, line, column, value)


def excerpt(value: object) -> str | None:
    """A value as a report quotes it: short, on one line, without control characters; None stays None."""
    if value is None:
        return None
    text = "|".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if len(text) > 80:
        text = text[:77] + "..."
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def as_sentence(problem: Problem) -> str:
    """A problem or a warning on one line, without its file and row: `size (9K): No such size. One of ...`"""
    place = problem.column or ""
    if problem.value:
        place = f"{place} ({problem.value})" if place else problem.value
    return f"{f'{place}: ' if place else ''}{problem.message}{f' {problem.hint}' if problem.hint else ''}"
