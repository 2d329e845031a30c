"""A share of a long search, so that several processes, or machines, can take all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One of several equal parts, from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def read(cls, text: str) -> "Part":
        """`2/5`.

        Raises:
            ValueError: it is none.
        """
        number, of = map(int, text.split("/"))
        if not 1 <= number <= of:
            raise ValueError(text)
        return cls(number, of)

    def take(self, every: Sequence[T], block: int = 1) -> list[T]:
        """Its own of all, spread over them: so many that follow each other, by turns."""
        return [one for at, one in enumerate(every) if at // block % self.of == self.number - 1]

    def parts(self, many: int) -> Iterator["Part"]:
        """It in smaller ones."""
        for inner in range(many):
            yield Part(self.number + inner * self.of, self.of * many)
