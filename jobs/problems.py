"""A thing wrong with a sheet, in the place where its writer will look for it."""

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
