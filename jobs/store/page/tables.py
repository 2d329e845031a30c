"""The tables of what a person decides: about images, about re-rolls, and what was done on the page."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    UniqueConstraint,
    and_,
    literal_column,
)
from sqlmodel import Field

from jobs.review.decisions import MOST_STARS, DecisionSource, Verdict
from jobs.store.sql.expressions import OnlyDigits
from jobs.store.sql.stored import Stored
from jobs.store.sqlite.columns import Instant, one_of


class Decision(Stored, table=True):
    """What a person decided about an image; number 0 is the job itself. One that says nothing is no row."""

    __table_args__ = (
        UniqueConstraint("job_id", "number", name="decision_image"),
        CheckConstraint("(number = 0) = (sha256 IS NULL)", name="decision_sha256"),
        CheckConstraint(f"verdict IS NULL OR {one_of('verdict', Verdict)}", name="decision_verdict"),
        CheckConstraint(f"stars BETWEEN 0 AND {MOST_STARS}", name="decision_stars"),
        CheckConstraint("verdict IS NOT NULL OR stars > 0 OR note != ''", name="decision_says_something"),
        CheckConstraint(one_of("source", DecisionSource), name="decision_source"),
    )

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(sa_column=Column(Integer, ForeignKey("job.id"), nullable=False))
    number: int
    sha256: str | None = None
    """Of the image that was looked at: the decision holds for no other."""
    verdict: str | None = None
    stars: int
    note: str
    decided_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    source: str


class Reroll(Stored, table=True):
    """How an image is to be made once more, and the sheet that has it."""

    __table_args__ = (
        UniqueConstraint("job_id", "number", name="reroll_image"),
        CheckConstraint(
            literal_column("seed IN ('new', 'same')")
            | and_(literal_column("seed != ''"), OnlyDigits(literal_column("seed"))).self_group(),
            name="reroll_seed",
        ),
        CheckConstraint("variants BETWEEN 1 AND 8", name="reroll_variants"),
        CheckConstraint(
            "(sheet IS NULL) = (made_at IS NULL) AND (sheet IS NULL) = (new_keys IS NULL)", name="reroll_made"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(sa_column=Column(Integer, ForeignKey("job.id"), nullable=False))
    number: int
    prompt: str | None = None
    """Null is the same once more."""
    seed: str
    """new, same, or a number."""
    variants: int
    inputs_patch: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Other inputs that are changed."""
    sheet: str | None = None
    """Absolute path of the sheet that it was written into."""
    new_keys: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Its jobs in that sheet."""
    made_at: datetime | None = Field(default=None, sa_column=Column(Instant))


class Action(Stored, table=True):
    """What was done on the page, with what was answered: sent twice, it is done once."""

    __table_args__ = (UniqueConstraint("action_id", name="action_action_id"),)

    id: int | None = Field(default=None, primary_key=True)
    action_id: str
    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), nullable=False))
    kind: str
    told: Any = Field(sa_column=Column(JSON, nullable=False))
    answer: Any = Field(sa_column=Column(JSON, nullable=False))
    done_at: datetime = Field(sa_column=Column(Instant, nullable=False))
