"""The journal's format, version 1: what a line of a journal file says, and nothing of files.

- A file is UTF-8 text in lines that end with a line feed, and NUL bytes from the last line to its end.
- The first line is HEADER_BYTES long: `nightsheet-journal VERSION JSON`, filled up with blanks. The JSON has
  the database's uid, its path, the host, the API's origin, and when the run began.
- Each other line is a submit: `CHECK UID FINGERPRINT JSON`, a tab, and room of END_BYTES for its end. The
  JSON has batch, key, payload_sha256, at, and where there is one seed and estimate_usd; no prompt.
- The end is blank until there is an answer; then `CHECK JSON`, filled up with blanks. The JSON has answered,
  at, and request_id where there is one. It is filled in in place, perhaps twice; nothing else ever changes.
- An end that has no room there is a line of its own: `CHECK UID END JSON`, END being 64 dashes, no tab.
- CHECK is the CRC-32, in eight hex digits, of what follows it and a blank, up to the tab or the line's end.
- A submit is written and synced before its POST leaves; an end is written before the table takes it.
- A line whose CHECK is wrong was never finished, or is damaged: it counts as none.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

from jobs.submit_record import NOTHING_SETTLED, Answered, SettledTo, SubmitEnd, SubmitRecord

VERSION = 1
HEADER_BYTES = 1024
END_BYTES = 192

_MAGIC = b"nightsheet-journal "
_CHECK = slice(0, 8)
_UID = slice(9, 41)
_FINGERPRINT = slice(42, 106)
_END_MARK = b"-" * 64


@dataclass(frozen=True, slots=True)
class Header:
    """Which run of which database a file belongs to. `path` and `host` are the database's."""

    database: str
    """The database's uid."""
    path: str
    host: str
    origin: str
    begun_at: datetime


class NoJournal(ValueError):
    """The file is no journal of ours, or was never begun."""


class NewerJournal(ValueError):
    """A later version of Nightsheet wrote the file."""


def header_line(header: Header) -> bytes:
    """The first line. A path too long to fit is cut: it is only told, never used."""
    path = header.path
    while len(line := _header(header, path)) > HEADER_BYTES - 1:
        path = path[: len(path) - (len(line) - HEADER_BYTES + 1) // 12 - 1]
    return line.ljust(HEADER_BYTES - 1) + b"\n"


def _header(header: Header, path: str) -> bytes:
    told = {
        "database": header.database,
        "path": path,
        "host": header.host,
        "origin": header.origin,
        "begun_at": header.begun_at.isoformat(),
    }
    return _MAGIC + b"%d " % VERSION + _json(told)


def read_header(data: bytes) -> Header | None:
    """The header of a file that begins with `data`; None where it is no journal.

    Raises:
        NewerJournal: a later version wrote it.
    """
    line, ended, _ = data[:HEADER_BYTES].partition(b"\n")
    if not ended or not line.startswith(_MAGIC):
        return None
    version, _, told = line.removeprefix(_MAGIC).partition(b" ")
    if version.isdigit() and int(version) > VERSION:
        raise NewerJournal(version.decode())
    try:
        known = json.loads(told)
        return Header(
            database=str(known["database"]),
            path=str(known["path"]),
            host=str(known["host"]),
            origin=str(known["origin"]),
            begun_at=datetime.fromisoformat(known["begun_at"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def record_line(record: SubmitRecord) -> bytes:
    """A submit's line, its end blank."""
    told: dict[str, Any] = {
        "batch": record.batch,
        "key": record.key,
        "payload_sha256": record.payload_sha256,
        "at": record.at.isoformat(),
    }
    if record.seed is not None:
        told["seed"] = record.seed
    if record.estimate_usd is not None:
        told["estimate_usd"] = str(record.estimate_usd)
    text = f"{record.uid} {record.fingerprint} ".encode() + _json(told)
    return _checked(text) + b"\t" + b" " * END_BYTES + b"\n"


def end_room(end: SubmitEnd) -> bytes | None:
    """What fills a submit's room for its end; None where it does not fit."""
    text = _checked(_json(_told(end)))
    return text.ljust(END_BYTES) if len(text) <= END_BYTES else None


def end_line(uid: str, end: SubmitEnd) -> bytes:
    """The end of a submit, as a line of its own."""
    return _checked(f"{uid} ".encode() + _END_MARK + b" " + _json(_told(end))) + b"\n"


class JournalReader:
    """The submits in an open journal file, in their order, but for those that are settled.

    `damaged` counts those read that are damaged.

    Raises:
        NewerJournal: a later version wrote it.
        NoJournal: it is no journal of ours.
    """

    def __init__(self, file: BinaryIO, settled_to: SettledTo = NOTHING_SETTLED) -> None:
        header = read_header(file.read(HEADER_BYTES))
        if header is None:
            raise NoJournal
        self.header = header
        self.damaged = 0
        self._file = file
        self._settled_to = settled_to
        self._late: dict[str, SubmitEnd] | None = None

    def __iter__(self) -> Iterator[SubmitRecord]:
        """All of them."""
        for line in self.lines():
            record = self.record(line)
            if record is not None:
                yield record

    def lines(self) -> Iterator[bytes]:
        """The submits as they stand there, for a reader who wants few of a million: `uid_of` each."""
        return (line for line in self._all_lines() if not _is_late(line))

    def places(self, begin: int, late: dict[str, SubmitEnd]) -> Iterator[tuple[int, int, bytes]]:
        """Place, length and fingerprint of each line from `begin`, for a reader who wants few of a million.

        Nothing else of it is looked at. An end in a line of its own goes to `late`, and has no fingerprint.
        """
        place = self._file.seek(begin)
        for line in self._file:
            text = line if line[0] else line.lstrip(b"\0")  # a hole, or room that nothing was written to yet
            if not text.endswith(b"\n"):
                return
            fingerprint = text[_FINGERPRINT]
            if fingerprint == _END_MARK:
                fingerprint = b""
                if (end := _late(text.removesuffix(b"\n"))) is not None:
                    late.update([end])
            yield place, len(line), fingerprint
            place += len(line)

    def record_at(self, place: int) -> SubmitRecord | None:
        """The submit whose line begins there, without an end that is a line of its own."""
        self._file.seek(place)
        return _record(self._file.readline().strip(b"\0").removesuffix(b"\n"))

    def record(self, line: bytes) -> SubmitRecord | None:
        """What a line says; None, and counted, where it is damaged."""
        record = _record(line)
        if record is None:
            self.damaged += 1
            return None
        end = self._late_ends().get(record.uid)
        return record if end is None else replace(record, end=end)

    def _late_ends(self) -> dict[str, SubmitEnd]:
        """The ends that had no room beside their submits, and come after these: looked for once."""
        if self._late is None:
            place = self._file.tell()
            ends = [_late(line) for line in self._all_lines() if _is_late(line)]
            self._file.seek(place)
            self._late = dict(end for end in ends if end is not None)
            self.damaged += ends.count(None)
        return self._late

    def _all_lines(self) -> Iterator[bytes]:
        """The lines after the header, up to the room that nothing was written to yet."""
        for place in self._settled_to.open:
            self._file.seek(place)
            yield from _text(self._file.readline())
        self._file.seek(max(HEADER_BYTES, self._settled_to.end))
        while line := self._file.readline():
            yield from _text(line)


def uid_of(line: bytes) -> str:
    """The uid of the attempt that a line is about; any text where it is damaged."""
    return line[_UID].decode(errors="replace")


def _text(line: bytes) -> Iterator[bytes]:
    """What stands in a line; nothing where nothing was written to it yet."""
    text = line.strip(b"\0").removesuffix(b"\n")
    if text.strip(b"\0"):
        yield text


def _is_late(line: bytes) -> bool:
    """Whether a line is the end of a submit that had no room for it."""
    return line[_FINGERPRINT] == _END_MARK


def _late(line: bytes) -> tuple[str, SubmitEnd] | None:
    """An end that is a line of its own, and whose it is."""
    checked = _unchecked(line)
    if checked is None:
        return None
    try:
        uid, _mark, told = checked.decode().split(" ", 2)
        return uid, _end(json.loads(told))
    except (ValueError, KeyError, TypeError):
        return None


def _record(line: bytes) -> SubmitRecord | None:
    text, _, room = line.partition(b"\t")
    checked = _unchecked(text)
    if checked is None:
        return None
    try:
        uid, fingerprint, told_text = checked.decode().split(" ", 2)
        told = json.loads(told_text)
        estimate = told.get("estimate_usd")
        ended = _unchecked(room.rstrip(b" \0"))
        return SubmitRecord(
            uid=uid,
            fingerprint=fingerprint,
            batch=told["batch"],
            key=told["key"],
            payload_sha256=told["payload_sha256"],
            at=datetime.fromisoformat(told["at"]),
            seed=told.get("seed"),
            estimate_usd=None if estimate is None else Decimal(estimate),
            end=None if ended is None else _end(json.loads(ended)),
        )
    except (ValueError, KeyError, TypeError, ArithmeticError):
        return None


def _end(told: dict[str, Any]) -> SubmitEnd:
    return SubmitEnd(Answered(told["answered"]), datetime.fromisoformat(told["at"]), told.get("request_id"))


def _told(end: SubmitEnd) -> dict[str, Any]:
    told = {"answered": str(end.answered), "at": end.at.isoformat()}
    return told if end.request_id is None else told | {"request_id": end.request_id}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()  # ASCII alone: any text survives it


def _checked(text: bytes) -> bytes:
    return b"%08x " % zlib.crc32(text) + text


def _unchecked(text: bytes) -> bytes | None:
    """What follows a CHECK that is right."""
    check, rest = text[_CHECK], text[9:]
    return rest if rest and text[8:9] == b" " and check == b"%08x" % zlib.crc32(rest) else None
