"""A submit as the journal has it, whatever became of the table: enough to know its row again."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Answered(StrEnum):
    """What came of a submit, as far as the process that sent it lived to tell."""

    ACCEPTED = "accepted"
    """The API answered with the request_id."""
    NAMED = "named"
    """The answer named an id, and is no receipt."""
    REFUSED = "refused"
    """Not paid, as the two that follow."""
    TURNED_AWAY = "turned_away"
    NOT_SENT = "not_sent"


FREE = frozenset({Answered.REFUSED, Answered.TURNED_AWAY, Answered.NOT_SENT})
"""Surely not accepted."""


@dataclass(frozen=True, slots=True)
class SubmitEnd:
    """What came of a submit, and when. `request_id` is the API's, or the one that the answer named."""

    answered: Answered
    at: datetime
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class SubmitRecord:
    """One submit. `batch` and `key` are those of its job, `uid` is the attempt's.

    It holds no prompt: the `fingerprint` (SHA-256, hex) says what was asked for, and `seed` is the one that
    was sent, which the fingerprint may leave out.
    """

    uid: str
    fingerprint: str
    batch: str
    key: str
    payload_sha256: str
    """SHA-256 (hex) of the exact bytes that were sent."""
    at: datetime
    seed: int | None = None
    estimate_usd: Decimal | None = None
    end: SubmitEnd | None = None
    """None where no answer was written down: it may have been accepted."""

    @property
    def is_free(self) -> bool:
        """Whether it was surely not accepted."""
        return self.end is not None and self.end.answered in FREE

    @property
    def receipt(self) -> str | None:
        """The request_id, where the API accepted it."""
        accepted = self.end is not None and self.end.answered is Answered.ACCEPTED
        return self.end.request_id if accepted and self.end is not None else None

    @property
    def named_id(self) -> str | None:
        """An id that the answer named, where that is no receipt."""
        named = self.end is not None and self.end.answered is Answered.NAMED
        return self.end.request_id if named and self.end is not None else None


@dataclass(frozen=True, slots=True)
class SettledTo:
    """How far a journal file is settled: the table has all that its first `end` bytes say.

    But for the lines that begin at the places in `open`: of these submits it waits for an end.
    """

    end: int
    open: tuple[int, ...] = ()


NOTHING_SETTLED = SettledTo(0)


@dataclass(frozen=True, slots=True)
class KnownJournal:
    """What a table knows of a journal file."""

    stamp: str | None = None
    """Bytes and times of its copies when the table agreed with all of it; None where it never did."""
    settled_to: SettledTo = NOTHING_SETTLED


@dataclass(slots=True)
class Healed:
    """What the journal told a table that it did not know."""

    completed: list[SubmitRecord] = field(default_factory=list)
    """The table knew the submit, and not its receipt: its job goes on."""
    found: list[SubmitRecord] = field(default_factory=list)
    """The table did not know the submit, which has a receipt: its job goes on."""
    doubtful: list[SubmitRecord] = field(default_factory=list)
    """The table did not know the submit, which has no answer: a person decides."""
    unmatched: list[SubmitRecord] = field(default_factory=list)
    """No row of the table asks for what it asked for."""

    def add(self, other: "Healed") -> None:
        """Take in what another part of the journal told."""
        known = {record.uid for record in self.unmatched}
        self.completed += other.completed
        self.found += other.found
        self.doubtful += other.doubtful
        self.unmatched += [record for record in other.unmatched if record.uid not in known]
