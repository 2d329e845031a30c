"""What a person decides about images: a verdict, stars, a note. It holds for the image that was looked at.

A decision is about an image of a job, by its number and its SHA-256. Number 0 is the job itself, while it has
no image. Where another image has come in the place of the one that was looked at, the decision is kept and
no longer holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

ITSELF = 0
"""The number of a decision about a job that has no image."""
MOST_STARS = 5
MOST_NOTE = 2000
"""Characters of a note."""


class Verdict(StrEnum):
    """What is to become of an image."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REROLL = "reroll"


class DecisionSource(StrEnum):
    """Where it was decided."""

    PAGE = "page"
    CLI = "cli"
    FILE = "file"


class Said(TypedDict, total=False):
    """What is said of an image; what is not said stays as it was. Without verdict, stars and note there is no
    decision."""

    verdict: Verdict | None
    stars: int
    note: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, as the table has it."""

    number: int
    sha256: str | None
    """Of the image that was looked at; None of a job without one."""
    verdict: Verdict | None
    stars: int
    note: str
    decided_at: datetime
    source: DecisionSource


@dataclass(frozen=True, slots=True)
class DecisionWish:
    """What is to be said of an image, or of all images of a job."""

    key: str
    said: Said
    number: int | None = None
    """None: all that the job has, or those of the hash; of a job without an image, the job itself."""
    sha256: str | None = None
    """Of the image that was looked at; None takes what is there."""


class Undecided(StrEnum):
    """Why nothing was decided."""

    NO_JOB = "no_job"
    """The sheet has no job of that key."""
    NO_IMAGE = "no_image"
    """The job has no image of that number."""
    OTHER_IMAGE = "other_image"
    """Another image has come since it was looked at."""


@dataclass(frozen=True, slots=True)
class DecidedImage:
    """An image, or a job without one, and what was and what is decided about it."""

    key: str
    number: int
    sha256: str | None
    before: DecisionView | None
    after: DecisionView | None

    @property
    def is_change(self) -> bool:
        """Whether it is another decision than before."""
        return review_of(self.before) != review_of(self.after)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of wishes: in their order, and those that could not be met."""

    images: tuple[DecidedImage, ...] = ()
    refused: tuple[tuple[DecisionWish, Undecided], ...] = ()

    def then(self, later: "Decided") -> "Decided":
        """Both together: of an image that both have, what was before the one and is after the other."""
        found = {(one.key, one.number): one for one in self.images}
        for one in later.images:
            first = found.get((one.key, one.number), one)
            found[one.key, one.number] = replace(one, before=first.before)
        return Decided(tuple(found.values()), self.refused + later.refused)


def decision_on(decisions: Iterable[DecisionView], number: int, sha256: str | None) -> DecisionView | None:
    """The decision that holds for an image; for the job itself with number 0 and without a hash."""
    return next((one for one in decisions if (one.number, one.sha256) == (number, sha256)), None)


def review_of(decision: DecisionView | None) -> dict[str, Any]:
    """What is decided, as JSON has it; all blank for nothing."""
    if decision is None:
        return {"verdict": None, "stars": 0, "note": ""}
    verdict = None if decision.verdict is None else decision.verdict.value
    return {"verdict": verdict, "stars": decision.stars, "note": decision.note}
