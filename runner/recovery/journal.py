"""The journal of a run: a second witness of what was sent, which no backup of the table takes back.

Each submit is written and synced before its POST leaves, and each end before the table takes it. Records that
come together share one sync. `journal_format` has the format.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import anyio
from anyio import to_thread

from jobs.disk.atomic_file import sync_folder, write_all
from jobs.errors import CannotWrite
from jobs.submit_record import SettledTo, SubmitEnd, SubmitRecord
from runner.recovery.journal_format import END_BYTES, Header, end_line, end_room, header_line, record_line
from runner.recovery.journal_places import Places

_STEP = 256 * 1024
_LONGEST_LINE = 8192
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclass(slots=True)
class _OpenSubmit:
    """Where the lines of a submit begin that may still get an end, and the room for that in its own."""

    begin: int
    room: int
    late: list[int] = field(default_factory=list)


class _File:
    """One journal file, which has room beyond its last line. Every method may raise OSError."""

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(path, _FLAGS, 0o600)
        self._seeking = Lock()  # records are written in a thread, ends are not
        self._end = self._allocated = 0
        self._open: dict[str, _OpenSubmit] = {}
        try:
            self._add(header_line(header))
            self.sync()
            sync_folder(path.parent)
            sync_folder(path.parent.parent)
        except OSError:
            self.close()
            with suppress(OSError):  # one that was never begun would be told as damaged
                path.unlink()
            raise

    def append(self, records: Sequence[SubmitRecord], *, synced: bool) -> None:
        """Have submits on disk, all or none."""
        begun = self._end
        try:
            for record in records:
                line = record_line(record)
                room = self._end + len(line) - END_BYTES - 1
                self._open[record.uid] = _OpenSubmit(self._end, room)
                self._add(line)
            if synced:
                self.sync()
        except OSError:
            self._take_back(begun, records)
            raise

    def end(self, uid: str, end: SubmitEnd) -> None:
        """Write a submit's end. Nothing happens if the submit is another run's, or was settled."""
        submit = self._open.get(uid)
        if submit is None:
            return
        room = end_room(end)
        if room is None:
            submit.late.append(self._end)
            self._add(end_line(uid, end))
        else:
            self._write(room, submit.room)

    def settle(self, uid: str) -> bool:
        """The table has a submit's last end; whether it was one of these."""
        return self._open.pop(uid, None) is not None

    def settled_to(self) -> SettledTo:
        """What need not be read again, where the table has all that was settled."""
        places = [place for one in self._open.values() for place in (one.begin, *one.late)]
        return SettledTo(self._end, tuple(sorted(places)))

    def sync(self) -> None:
        """Wait until all is on disk."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _add(self, line: bytes) -> None:
        # The room beyond the last line is allocated in steps, so that a full disk is met here, before a POST.
        if self._end + 2 * len(line) > self._allocated:
            more = max(_STEP, 2 * len(line))
            self._write(bytes(more), self._allocated)
            self._allocated += more
        self._write(line, self._end)
        self._end += len(line)

    def _take_back(self, begun: int, records: Sequence[SubmitRecord]) -> None:
        """Wipe out lines of submits that are not sent: nobody is to have a doubt about them."""
        written, self._end = self._end, begun
        for record in records:
            self._open.pop(record.uid, None)
        with suppress(OSError):  # the disk is broken: then they are in doubt, and nothing is paid for it
            self._write(bytes(min(self._allocated, written + _LONGEST_LINE) - begun), begun)

    def _write(self, data: bytes, place: int) -> None:
        with self._seeking:
            os.lseek(self._descriptor, place, os.SEEK_SET)
            write_all(self._descriptor, data)


@dataclass(slots=True)
class _Pending:
    """A record that waits for its sync."""

    record: SubmitRecord
    written: bool = False
    error: CannotWrite | None = None


class SubmitJournal:
    """The journal of one run. Its files come into being with the first submit."""

    def __init__(self, places: Places, name: str, header: Header, notice: Callable[[str], None]) -> None:
        self._places = places
        self._name = name
        self._header = header
        self._notice = notice
        self._main: _File | None = None
        self._copy: _File | None = None
        self._copies = places.copies
        self._waiting: list[_Pending] = []
        self._writing = anyio.Lock()
        self.settled = 0
        """How many submits the table has the last end of."""

    async def sent(self, record: SubmitRecord) -> None:
        """Have a submit on disk, before it is sent. Several at once share a sync.

        Raises:
            CannotWrite: the disk refuses; the submit must not be sent.
        """
        ticket = _Pending(record)
        self._waiting.append(ticket)
        async with self._writing:
            if not ticket.written and ticket.error is None:
                group, self._waiting = self._waiting, []
                await to_thread.run_sync(self._write, group)
        if ticket.error is not None:
            raise ticket.error

    def ended(self, uid: str, end: SubmitEnd) -> None:
        """Write down what came of a submit, where a killed process leaves it; a power cut may not.

        The table has it on disk a moment later. Where that refuses, `keep` it. The room for it is allocated.
        """
        for file in self._files():
            try:
                file.end(uid, end)
            except OSError as error:
                self._notice(f"{self._places.beside / self._name}: {error.strerror or error}.")

    def settle(self, uid: str) -> None:
        """The table has a submit's last end: no later start has to read it here."""
        for file in self._files():
            if file.settle(uid) and file is self._main:
                self.settled += 1

    async def settled_to(self) -> tuple[str, SettledTo] | None:
        """This run's journal by name, and how far it is settled; None where none was begun.

        The copy has the same lines in the same places, as far as it goes.
        """
        async with self._writing:
            return None if self._main is None else (self._name, self._main.settled_to())

    async def keep(self, uid: str, end: SubmitEnd) -> None:
        """Have a submit's end on disk here, as the table refuses it.

        Raises:
            OSError: even this cannot be written.
        """
        await to_thread.run_sync(self._keep, uid, end)

    def close(self) -> None:
        """Close the files."""
        for file in self._files():
            file.close()

    def _files(self) -> Iterator[_File]:
        return (file for file in (self._main, self._copy) if file is not None)

    def _keep(self, uid: str, end: SubmitEnd) -> None:
        for file in self._files():
            file.end(uid, end)
            file.sync()

    def _write(self, group: Sequence[_Pending]) -> None:
        records = [ticket.record for ticket in group]
        try:
            if self._main is None:
                self._main = _File(self._places.beside / self._name, self._header)
            self._main.append(records, synced=True)
        except OSError as error:
            refused = refusal(self._places.beside, error)
            for ticket in group:
                ticket.error = refused
            return
        self._copy_too(records)
        for ticket in group:
            ticket.written = True

    def _copy_too(self, records: Sequence[SubmitRecord]) -> None:
        """The copy is not synced: it is for a table that is lost, and not for a power cut as well."""
        if self._copies is None:
            return
        try:
            if self._copy is None:
                self._copy = _File(self._copies / self._name, self._header)
            self._copy.append(records, synced=False)
        except OSError as error:
            self._notice(no_copy(self._copies, error))
            self._copies = None


@contextmanager
def open_journal(
    places: Places, name: str, header: Header, notice: Callable[[str], None]
) -> Iterator[SubmitJournal]:
    """The journal of a run that begins."""
    journal = SubmitJournal(places, name, header, notice)
    try:
        yield journal
    finally:
        journal.close()


def refusal(folder: Path, error: OSError) -> CannotWrite:
    """What to tell where a journal cannot be written."""
    return CannotWrite(
        f"The journal in {folder} cannot be written: {error.strerror or error}.",
        hint="Make room there: without it nothing is sent, because a lost table could have it paid twice.",
    )


def no_copy(folder: Path, error: OSError) -> str:
    """What to tell where no copy of the journal can be kept."""
    return (
        f"No copy of the journal is kept in {folder} ({error.strerror or error}): if the database's folder "
        "is lost, nothing knows what was sent."
    )
