"""Repeatable chance: every number is a function of what it is drawn for, the emulator's seed among it."""

import random


def seeded(*parts: object) -> random.Random:
    """A generator that depends on `parts` alone, the same in every process."""
    return random.Random(repr(parts).encode())  # noqa: S311 - histories must replay; no secret hangs on it


def share(*parts: object) -> float:
    """One number in [0, 1) for `parts`."""
    return seeded(*parts).random()
