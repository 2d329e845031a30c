"""A family of jobs: written once, one job for each member. As data, and as a stream of members.

The rules are those of the matrices known from CI. Nothing here holds the members: their number is a product,
and a line of a sheet may well stand for a million of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product
from math import prod

from jobs.sheets.row import Cell

MOST_JOBS = 5_000_000
"""In one family. A larger number is a mistake in a matrix."""

Variables = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Axis:
    """Names that change together, and their values in turn: one name for a matrix, several for a zip."""

    names: tuple[str, ...]
    choices: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Prompts:
    """The lines of a text file, each with its number; read again each time, and never held.

    `size` is how many there are.
    """

    file: str
    size: int
    lines: Iterable[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Member:
    """A job of a family. `variables` distinguish it from the others, `added` are those of an `include`."""

    variables: Variables
    added: Variables
    prompt_line: int | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """The description of many jobs, in a sheet or in one job of it.

    `lines` has the line where each variable is written. `repeats` is how many jobs each member is, unless
    `seeds` has a job for each of them. `refused` are columns that could not be read, which is reported.
    """

    axes: tuple[Axis, ...] = ()
    prompts: Prompts | None = None
    include: tuple[Variables, ...] = ()
    exclude: tuple[Variables, ...] = ()
    repeats: int = 1
    seeds: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    refused: Set[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable, and every other column that a member may have."""
        prompt = ("prompt",) if self.prompts or "prompt" in self.refused else ()
        included = (name for entry in self.include for name in entry)
        seed = ("seed",) if self.seeds else ()
        return tuple(dict.fromkeys((*prompt, *self.variables, *included, *seed)))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the matrix and the zip."""
        return tuple(name for axis in self.axes for name in axis.names)

    @property
    def size(self) -> int:
        """The largest number of jobs it can be, without going through them."""
        combined = prod(len(axis.choices) for axis in self.axes) if self.axes or self.prompts else 0
        lines = self.prompts.size if self.prompts else 1
        members = combined * lines + len(self.include) or 1
        return members * (len(self.seeds) or self.repeats)

    def members(self) -> Iterator[Member]:
        """Each member, the first variable changing slowest; then the members that `include` adds.

        An included entry is added to every member whose variables it does not contradict; where there is
        none, it is a member itself. Neither affects the entries after it.
        """
        if not self.axes and not self.prompts and not self.include:
            yield Member({}, {})
            return
        used = [False] * len(self.include)
        for variables, line in self._combinations():
            if any(_agrees(entry, variables) for entry in self.exclude):
                continue
            added: dict[str, Cell] = {}
            for index, entry in enumerate(self.include):
                if all(variables.get(name, value) == value for name, value in entry.items()):
                    used[index] = True
                    added.update({name: value for name, value in entry.items() if name not in variables})
            yield Member(variables, added, line)
        for entry, was_used in zip(self.include, used, strict=True):
            if not was_used:
                yield Member(entry, {})

    def _combinations(self) -> Iterator[tuple[dict[str, Cell], int | None]]:
        names = self.variables
        if self.prompts is None:
            if self.axes:
                for choice in product(*(axis.choices for axis in self.axes)):
                    yield dict(zip(names, _flat(choice), strict=True)), None
            return
        for number, line in self.prompts.lines:
            for choice in product(*(axis.choices for axis in self.axes)):
                yield {"prompt": line, **dict(zip(names, _flat(choice), strict=True))}, number


def _flat(choice: Iterable[tuple[Cell, ...]]) -> Iterator[Cell]:
    return (value for values in choice for value in values)


def _agrees(entry: Variables, variables: Variables) -> bool:
    return all(variables.get(name) == value for name, value in entry.items())
