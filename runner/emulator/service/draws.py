"""What comes of each accepted request: drawn from the seed and the request's ordinal alone."""

from dataclasses import dataclass
from typing import Literal

from runner.emulator.chance import seeded
from runner.emulator.settings import EmulatorSettings

Outcome = Literal["succeeded", "failed", "moderated"]


@dataclass(frozen=True, slots=True)
class Draw:
    """The outcome of one accepted request: drawn at acceptance, shown when it is done."""

    seconds: float
    """Service time on the emulator's clock, speed included."""
    outcome: Outcome
    pictures: int


def draw(settings: EmulatorSettings, ordinal: int, asked: int) -> Draw:
    """The outcome of request number `ordinal`; `asked` is the most images that it may give."""
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
