"""Holds the table against the journal, before anything is sent: what it forgot is put back, for free."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.errors import CannotWrite
from jobs.store.sqlite.beside import is_retired
from jobs.submit_record import NOTHING_SETTLED, Healed, KnownJournal, SettledTo, SubmitRecord
from jobs.table_place import TablePlace
from runner.humanize import count_of, money
from runner.recovery.journal_format import (
    HEADER_BYTES,
    Header,
    JournalReader,
    NewerJournal,
    NoJournal,
    read_header,
    uid_of,
)
from runner.recovery.journal_places import Places, is_old, journals_in

if TYPE_CHECKING:
    from jobs.store.store import Store

_CHUNK = 500
_NAMED = 5
"""The most keys that one sentence names."""


@dataclass(slots=True)
class Healing:
    """What a look at the journal came to."""

    healed: Healed = field(default_factory=Healed)
    damaged: int = 0
    newest: Header | None = None
    """The header of the newest journal of this database."""

    def sentences(self) -> list[str]:
        """What a person has to know of it."""
        return [
            sentence
            for sentence in (
                _completed(self.healed.completed),
                _put_back(self.healed.found, self.healed.doubtful),
                _unmatched(self.healed.unmatched),
                _damaged(self.damaged),
            )
            if sentence
        ]


def _completed(records: list[SubmitRecord]) -> str:
    if not records:
        return ""
    return f"The journal had the receipts of {count_of(len(records), 'submit')}: going on with them, free."


def _put_back(found: list[SubmitRecord], doubtful: list[SubmitRecord]) -> str:
    """For somebody tired: what happened, what is well again, what is open, and what it may have cost."""
    many = len(found) + len(doubtful)
    if not many:
        return ""
    text = (
        f"The database did not know {count_of(many, 'submit')} that left before: it is an older copy, or has "
        "lost its last writes. The journal knows them, so none is paid for twice: "
        f"{len(found)} of them go on, free"
    )
    if doubtful:
        usd = _usd(doubtful)
        text += (
            f"; {len(doubtful)} have no answer{usd and f' and may have cost {usd}'}, see `nightsheet review`"
        )
    return f"{text}."


def _unmatched(records: list[SubmitRecord]) -> str:
    if not records:
        return ""
    keys = ", ".join(repr(record.key) for record in records[:_NAMED])
    more = ", ..." if len(records) > _NAMED else ""
    usd = _usd(records)
    return (
        f"The journal knows {count_of(len(records), 'submit')} that fit no row of this database: {keys}{more}"
        f"{usd and f', for {usd}'}. `nightsheet audit` lists them."
    )


def _damaged(many: int) -> str:
    if not many:
        return ""
    return (
        f"{count_of(many, 'record')} of the journal cannot be read, and are left out: what they say is known "
        "from the database alone."
    )


def _usd(records: list[SubmitRecord]) -> str:
    """The most that they may have cost; nothing where that is unknown."""
    known = [record.estimate_usd for record in records if record.estimate_usd is not None]
    return money(sum(known, Decimal(0))) if known else ""


def moved_notice(newest: Header | None, database: Path | TablePlace, host: str) -> str:
    """What to tell where the database was elsewhere when it last sent something; else nothing."""
    if newest is None or (newest.path == str(database) and newest.host == host):
        return ""
    was = f"This database was at {newest.path} on {newest.host} when it last sent something"
    if newest.host != host:
        return (
            f"{was}. If it is still used there, neither knows what the other sends: use one of the two alone."
        )
    if Path(newest.path).exists() and not is_retired(Path(newest.path)):
        return f"{was}, and there is one there still. Use one of the two alone: each is a whole batch."
    return f"{was}: it was moved."


async def heal(store: "Store", places: Places, now: datetime) -> Healing:
    """Read the journals that the table did not agree with yet, and heal it.

    Raises:
        CannotWrite: the table or a journal cannot be read, or a later version wrote it.
    """
    uid = await store.witness.database_uid()
    healing = Healing()
    for name, paths, stamp, known in await _journals(store, places):
        if known.stamp == stamp:
            if all(is_old(path, now) for path in paths):
                await to_thread.run_sync(_delete, paths)
            continue
        told = Healed()
        damaged = []
        for path in paths:
            with opened(path, known.settled_to) as reader:
                if reader is None:
                    damaged.append(1)
                elif reader.header.database == uid:
                    async for chunk in _news(store, reader):
                        told.add(await store.witness.heal(reader.header.origin, chunk, now))
                    damaged.append(reader.damaged)
        healing.healed.add(told)
        healing.damaged += min(damaged, default=0)  # what one copy lacks, the other one has told
        if damaged and not told.unmatched:
            await store.witness.settle_journal(name, stamp)
    healing.newest = await to_thread.run_sync(_newest_header, places, uid)
    return healing


async def unmatched(store: "Store", places: Places) -> list[SubmitRecord]:
    """The submits in the journals of this database that no attempt stands for.

    Raises:
        CannotWrite: the table or a journal cannot be read, or a later version wrote it.
    """
    uid = await store.witness.database_uid()
    found: dict[str, SubmitRecord] = {}
    for _name, paths, stamp, known in await _journals(store, places):
        for path in () if known.stamp == stamp else paths:
            with opened(path, known.settled_to) as reader:
                if reader is not None and reader.header.database == uid:
                    async for chunk in _news(store, reader):
                        found |= {one.uid: one for one in await store.witness.unknown(chunk)}
    return list(found.values())


async def _journals(store: "Store", places: Places) -> list[tuple[str, list[Path], str, KnownJournal]]:
    """Each run's journal: its name, its copies, their stamp, and what the table knows of it."""
    known = await store.witness.known_journals()
    found = []
    for name, paths in (await to_thread.run_sync(_by_name, places)).items():
        stamp = await to_thread.run_sync(_stamp, paths)
        found.append((name, paths, stamp, known.get(name, KnownJournal())))
    return found


async def _news(store: "Store", reader: JournalReader) -> AsyncIterator[list[SubmitRecord]]:
    """The submits of which the table has no end, some at a time: of a million, few are read."""
    lines = reader.lines()
    while chunk := await to_thread.run_sync(lambda: list(islice(lines, _CHUNK))):
        settled = await store.witness.settled([uid_of(line) for line in chunk])
        records = [reader.record(line) for line in chunk if uid_of(line) not in settled]
        if known := [record for record in records if record is not None]:
            yield known


@contextmanager
def opened(path: Path, settled_to: SettledTo = NOTHING_SETTLED) -> Iterator[JournalReader | None]:
    """A journal to read from, after what is settled; None where it is none, or is damaged at its beginning.

    Raises:
        CannotWrite: a later version wrote it, or the disk does not give it.
    """
    try:
        with path.open("rb") as file:
            try:
                reader = JournalReader(file, settled_to)
            except NoJournal:
                reader = None
            yield reader
    except NewerJournal as version:
        raise CannotWrite(
            f"{path} was written by a newer Nightsheet (journal {version}).",
            hint="Nothing was sent. Upgrade Nightsheet: it knows what was paid for.",
        ) from None
    except OSError as error:
        raise CannotWrite(
            f"The journal {path} cannot be read: {error.strerror or error}.",
            hint="Nothing was sent: it may know what was paid for. Make it readable.",
        ) from error


def _by_name(places: Places) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder in places.folders:
        for path in journals_in(folder):
            found.setdefault(path.name, []).append(path)
    return dict(sorted(found.items()))


def _stamp(paths: list[Path]) -> str:
    found = (path.stat() for path in paths)
    return " ".join(f"{one.st_size}-{one.st_mtime_ns}" for one in found)


def _delete(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _newest_header(places: Places, uid: str) -> Header | None:
    for paths in reversed(_by_name(places).values()):
        header = _header_of(paths[0])
        if header is not None and header.database == uid:
            return header
    return None


def _header_of(path: Path) -> Header | None:
    with suppress(OSError, NewerJournal), path.open("rb") as file:
        return read_header(file.read(HEADER_BYTES))
    return None
