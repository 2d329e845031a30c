"""What other databases sent, as their journals tell: rows that say the same are not paid for unasked.

They lie in the state folder, and beside a database that took the place of one that was deleted. Of a million
submits it is kept where they stand, in 16 bytes each: what a sheet asks for is read then.
"""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from jobs.compact_set import CompactSet
from jobs.paid import PaidElsewhere, PaidSubmit, as_paid
from jobs.submit_record import SubmitEnd, SubmitRecord
from runner.recovery.healing import opened
from runner.recovery.journal_format import HEADER_BYTES, JournalReader
from runner.recovery.journal_places import beside, databases_in, folder_of, is_old, journals_in

_BUCKETS = 1 << 14
_LONGEST = 1 << 40
"""No journal has as many bytes."""


@dataclass(slots=True)
class _Journal:
    """A journal, with the path of its database. `end` is where its next line will begin."""

    path: Path
    database: str
    end: int = HEADER_BYTES


class PaidByJournals(PaidElsewhere):
    """The submits to an API that were or may have been accepted, as journals of other databases tell.

    `uid` is this database's, None where there is none yet. A look-up by fingerprint reads files, and blocks.

    Raises:
        CannotWrite: a later version wrote a journal, or one cannot be read.
    """

    def __init__(self, uid: str | None, origin: str) -> None:
        self._uid = uid
        self._origin = origin
        self._journals: list[_Journal] = []
        self._seen: set[Path] = set()
        self._late: dict[str, SubmitEnd] = {}
        """The ends that had no room beside their submits, which are few."""
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        """Pairs: a fingerprint's hash, and a place in one of the journals. What is read is compared."""

    def add(self, path: Path, news: CompactSet | None = None) -> None:
        """Take in a journal, unless it is this database's own, or another API's. `news` gets what it says."""
        with opened(path) as reader:
            if reader is None:  # damaged; or its run has not begun it yet
                return
            self._seen.add(path)
            if reader.header.database != self._uid and reader.header.origin == self._origin:
                self._journals.append(_Journal(path, reader.header.path))
                self._read_on(len(self._journals) - 1, reader, news)

    def look(self, of_origin: Path, news: CompactSet) -> None:
        """Take in what other databases have sent since the last look. Of most journals a byte is read."""
        for number, journal in enumerate(self._journals):
            if _has_more(journal):
                with opened(journal.path) as reader:
                    if reader is not None:
                        self._read_on(number, reader, news)
        for folder in databases_in(of_origin, but=self._uid):
            for path in journals_in(folder):
                if path not in self._seen:
                    self.add(path, news)

    def _read_on(self, number: int, reader: JournalReader, news: CompactSet | None) -> None:
        journal = self._journals[number]
        for place, length, fingerprint in reader.places(journal.end, self._late):
            journal.end = place + length
            if fingerprint:
                hashed = hash(fingerprint)
                self._buckets[hashed % _BUCKETS].extend((hashed, number * _LONGEST + place))
                if news is not None:
                    news.add(fingerprint)

    def __getitem__(self, fingerprint: str) -> Sequence[PaidSubmit]:
        hashed = hash(fingerprint.encode())
        bucket = self._buckets[hashed % _BUCKETS]
        places = (bucket[at + 1] for at in range(0, len(bucket), 2) if bucket[at] == hashed)
        found = {
            record.uid: as_paid(record, database)  # a copy of a journal tells it again
            for record, database in map(self._read, places)
            if record is not None and record.fingerprint == fingerprint and not record.is_free
        }
        if not found:
            raise KeyError(fingerprint)
        return sorted(found.values(), key=lambda one: one.at)

    def __iter__(self) -> Iterator[str]:
        records = (self._read(place)[0] for bucket in self._buckets for place in bucket[1::2])
        return iter({one.fingerprint for one in records if one is not None and not one.is_free})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """Whether there may be any: none is read for it."""
        return any(self._buckets)

    def _read(self, place: int) -> tuple[SubmitRecord | None, str]:
        """The submit at a place, None where it is damaged; and the path of its database."""
        journal, offset = divmod(place, _LONGEST)
        known = self._journals[journal]
        with opened(known.path) as reader:
            record = None if reader is None else reader.record_at(offset)
        end = None if record is None else self._late.get(record.uid)
        return record if record is None or end is None else replace(record, end=end), known.database


def _has_more(journal: _Journal) -> bool:
    """Whether a line has begun where the next one will. One that is gone tells nothing more."""
    try:
        with journal.path.open("rb", buffering=0) as file:
            file.seek(journal.end)
            return file.read(1) not in (b"", b"\0")
    except OSError:
        return False


def paid_by_journals(
    database: Path, uid: str | None, origin: str, state: Path, now: datetime
) -> PaidByJournals:
    """The submits to an API in the journals of databases with another uid. Blocks.

    `uid` is this database's, None where there is none yet; `state` is the user's state folder. Journals that
    have had their time are deleted. One that cannot be read is its own database's concern.

    Raises:
        CannotWrite: a later version wrote one of them.
    """
    found = PaidByJournals(uid, origin)
    for path in _journals(database, uid, folder_of(state, origin), now):
        found.add(path)
    return found


def _journals(database: Path, uid: str | None, of_origin: Path, now: datetime) -> Iterator[Path]:
    for folder in (beside(database), *databases_in(of_origin, but=uid)):
        for path in journals_in(folder):
            if is_old(path, now) and folder.parent == of_origin:
                with suppress(OSError):
                    path.unlink()
            else:
                yield path
