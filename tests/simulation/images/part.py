"""A share of the moments of a night, so that several processes, or machines, can take all of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BLOCK = 16
"""Moments that follow each other are often the same to a run; early ones take the longest."""


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

    def take(self, moments: Sequence[int]) -> list[int]:
        """Its own of all moments."""
        return [moment for at, moment in enumerate(moments) if at // _BLOCK % self.of == self.number - 1]

    def parts(self, many: int) -> Iterator["Part"]:
        """It in smaller ones."""
        for inner in range(many):
            yield Part(self.number + inner * self.of, self.of * many)
