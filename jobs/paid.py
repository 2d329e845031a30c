"""What was paid for elsewhere: submits under another batch of the table, or in another database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.failures import FailureKind
from jobs.submit_record import SubmitRecord

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


def as_paid(record: SubmitRecord, database: str) -> PaidSubmit:
    """What the journal of another database has, as what it may have paid for."""
    return PaidSubmit(record.fingerprint, record.batch, database, record.at, record.receipt)


PaidElsewhere = Mapping[str, Sequence[PaidSubmit]]
"""Submits of other databases by fingerprint, oldest first."""


def by_fingerprint(submits: Iterable[PaidSubmit]) -> PaidElsewhere:
    """Submits as a run looks them up."""
    found: dict[str, list[PaidSubmit]] = defaultdict(list)
    for submit in sorted(submits, key=lambda one: one.at):
        found[submit.fingerprint].append(submit)
    return dict(found)


class PaidByBoth(PaidElsewhere):
    """What a ledger and journals have. What a ledger has, it knows better: how it ended."""

    def __init__(self, ledger: PaidElsewhere, journals: PaidElsewhere) -> None:
        self._ledger = ledger
        self._journals = journals

    def __getitem__(self, fingerprint: str) -> Sequence[PaidSubmit]:
        known = self._ledger.get(fingerprint, ())
        ids = {submit.request_id for submit in known} - {None}
        more = [one for one in self._journals.get(fingerprint, ()) if one.request_id not in ids]
        if not known and not more:
            raise KeyError(fingerprint)
        return sorted((*known, *more), key=lambda one: one.at)

    def __iter__(self) -> Iterator[str]:
        yield from self._ledger
        yield from (said for said in self._journals if said not in self._ledger)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self._ledger) or bool(self._journals)


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
