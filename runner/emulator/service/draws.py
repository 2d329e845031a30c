"""Chance that can be told again: every draw is a function of the seed and of what it is drawn for."""

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from runner.emulator.settings import EmulatorSettings

Outcome = Literal["succeeded", "failed", "moderated"]


def seeded(*parts: object) -> random.Random:
    """A generator that depends on `parts` alone, the same in every process."""
    return random.Random(repr(parts).encode())  # noqa: S311 - histories must replay; no secret hangs on it


def share(*parts: object) -> float:
    """One number in [0, 1) for `parts`."""
    return seeded(*parts).random()


@dataclass(frozen=True, slots=True)
class Draw:
    """What will come of one accepted request: decided when it is accepted, told when it is done."""

    seconds: float
    """Service time on the emulator's clock, speed included."""
    outcome: Outcome
    pictures: int


def draw(settings: "EmulatorSettings", ordinal: int, asked: int) -> Draw:
    """The fate of the request with that `ordinal`, `asked` being the most pictures that it may bring."""
    dice = seeded(settings.seed, ordinal)
    seconds = settings.median_seconds * dice.lognormvariate(0.0, settings.sigma) / settings.speed
    fate = dice.random()
    short = dice.random() < settings.short_share
    fewer = dice.randint(1, max(1, asked - 1))
    outcome: Outcome = "succeeded"
    if fate < settings.failed_share:
        outcome = "failed"
    elif fate < settings.failed_share + settings.moderated_share:
        outcome = "moderated"
    pictures = 0 if outcome != "succeeded" else fewer if short and asked > 1 else asked
    return Draw(seconds, outcome, pictures)
