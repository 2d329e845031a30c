"""The tables of accounts: the limits that a person set, where they stand, and what runs found out."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, Float, Integer, String
from sqlmodel import Field

from jobs.store.sql.stored import Stored
from jobs.store.sqlite.columns import Instant, Money


class ApiAccount(Stored, table=True):
    """An account at an API. Its name has the API's origin, and a hash where the token would be.

    Its row is locked by whoever lets a submit go: so all who use the account are counted one after the other.
    What is in flight, and what it costs, is counted from jobs and attempts; no number here can drift from it.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=Column(String, nullable=False, unique=True))
    in_flight_max: int | None = Field(
        default=None,
        sa_column=Column(Integer, CheckConstraint("in_flight_max > 0", name="apiaccount_in_flight_max")),
    )
    """Jobs at the API at once. This one and the next three are set by a person; NULL is no limit."""
    gate: int | None = Field(
        default=None, sa_column=Column(Integer, CheckConstraint("gate > 0", name="apiaccount_gate"))
    )
    """Submits on their way at once."""
    per_minute: float | None = Field(
        default=None, sa_column=Column(Float, CheckConstraint("per_minute > 0", name="apiaccount_per_minute"))
    )
    budget: Decimal | None = Field(
        default=None, sa_column=Column(Money, CheckConstraint("budget >= 0", name="apiaccount_budget"))
    )
    next_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    """When the rate lets the next submit go. Times are of the database's clock: a server's own."""
    cool_until: datetime | None = Field(default=None, sa_column=Column(Instant))
    """Until then nothing is sent: the API has turned a submit away."""
    doubted_since: datetime | None = Field(default=None, sa_column=Column(Instant))
    """The last doubt after which no free question was answered yet, by the clock of who had it: its name."""
    asked_until: datetime | None = Field(default=None, sa_column=Column(Instant))
    """So long one runner asks that question, and the others wait."""


class AccountLimit(Stored, table=True):
    """How many jobs of a model an account takes at once, as the last night with `auto` found out."""

    account_id: int = Field(primary_key=True, foreign_key="apiaccount.id")
    model: str = Field(primary_key=True)
    in_flight: int
    ceiling: int | None = None
    """Beyond it submits were answered 429; NULL where none was."""
    found_at: datetime = Field(sa_column=Column(Instant, nullable=False))
