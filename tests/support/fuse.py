"""A fuse: the k-th of all operations fails, once, or that one and all that follow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Fuse:
    """Blows at the operation number `at`, counted from 1. `out` is whether it has; mended, it never does."""

    at: int
    for_ever: bool = False
    out: bool = False
    calls: int = 0
    mended: bool = False
    _counting: Lock = field(default_factory=Lock)

    def blows(self) -> bool:
        """Count an operation; whether it is to fail. From any thread."""
        if self.mended:
            return False
        with self._counting:
            self.calls += 1
            blown = self.calls == self.at or (self.for_ever and self.calls > self.at)
            self.out = self.out or blown
            return blown

    @contextmanager
    def until_mended(self) -> Iterator["Fuse"]:
        """For a block after which nothing fails any more."""
        try:
            yield self
        finally:
            self.mended = True
