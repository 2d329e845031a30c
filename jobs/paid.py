"""What was paid for elsewhere: submits under another batch of the table, or in another database."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.failures import FailureKind

GAVE_NOTHING = frozenset({FailureKind.REMOTE_FAILED, FailureKind.MODERATED, FailureKind.CANCELLED})
"""How an accepted submit ended that the API says has failed. Rows like it are not held: people try a failed
row again under another sheet. What is done at the API was paid for, also where no image is in hand."""


@dataclass(frozen=True, slots=True)
class PaidSubmit:
    """One submit of another batch or database that was or may have been accepted."""

    fingerprint: str
    batch: str
    database: str | None
    """The path of its database; None for this one."""
    at: datetime
    request_id: str | None = None
    """None where no answer was read."""
    ended: str | None = None
    """How it ended at the API, as the ledger has it."""

    @property
    def gave_nothing(self) -> bool:
        """Whether the API says that it failed."""
        return self.ended in GAVE_NOTHING


def telling(submits: Iterable[PaidSubmit]) -> PaidSubmit | None:
    """Of several submits that say the same, the one to tell of: the newest that counts, else the newest."""
    return max(submits, key=lambda submit: (not submit.gave_nothing, submit.at), default=None)


PaidElsewhere = Mapping[str, Sequence[PaidSubmit]]
"""Submits of other databases by fingerprint, oldest first."""


def by_fingerprint(submits: Iterable[PaidSubmit]) -> PaidElsewhere:
    """Submits as a run looks them up."""
    found: dict[str, list[PaidSubmit]] = defaultdict(list)
    for submit in sorted(submits, key=lambda one: one.at):
        found[submit.fingerprint].append(submit)
    return dict(found)


@dataclass(frozen=True, slots=True)
class Held:
    """Where and when what a held job says was paid for before; `database` None is this one."""

    batch: str
    database: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PaidBefore:
    """The same of several rows: the first and the last time, and how many rows."""

    batch: str
    database: str | None
    first_at: datetime
    last_at: datetime
    rows: int
