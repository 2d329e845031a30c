"""What the journals of other databases tell: each submit that was or may have been accepted, once."""

import shutil
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from jobs.errors import CannotWrite
from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from runner.recovery import journal_format
from runner.recovery.elsewhere import paid_by_journals
from runner.recovery.journal import open_journal
from runner.recovery.journal_format import HEADER_BYTES, Header, end_room, header_line, record_line
from runner.recovery.journal_places import Places, beside, folder_of, new_name

AT = datetime(2026, 11, 20, 22, tzinfo=UTC)
API = "https://model-api.runcomfy.net"
OWN, OTHER = "d" * 32, "e" * 32


def record(number: int, answered: Answered | None = Answered.ACCEPTED) -> SubmitRecord:
    end = None if answered is None else SubmitEnd(answered, AT, f"req-{number}")
    return SubmitRecord(f"{number:032x}", f"{number:064x}", "night", f"row-{number}", "5" * 64, AT, end=end)


async def sent(
    folder: Path, records: Sequence[SubmitRecord], *, uid: str = OTHER, at: datetime = AT, origin: str = API
) -> Path:
    """A run of a database, and its journals; returns the copy in the state folder."""
    copies = folder_of(folder / "state", origin) / uid
    places = Places(beside(folder / "night.db"), copies)
    name = new_name(places, at, Random(len(records)))
    with open_journal(places, name, Header(uid, "/night.db", "here", origin, at), print) as journal:
        for one in records:
            await journal.sent(replace(one, end=None))
            if one.end is not None:
                journal.ended(one.uid, one.end)
    return copies / name


def paid(folder: Path, uid: str | None = OWN, now: datetime = AT) -> list[tuple[str, str | None]]:
    found = paid_by_journals(folder / "night.db", uid, API, folder / "state", now)
    assert len(found) == len(list(found))
    return sorted((said.lstrip("0"), submit.request_id) for said, some in found.items() for submit in some)


async def test_what_was_or_may_have_been_accepted(tmp_path: Path) -> None:
    """Each once, though it is told in two places; an id that an answer named is no receipt."""
    free = [record(7, Answered.REFUSED), record(8, Answered.TURNED_AWAY), record(9, Answered.NOT_SENT)]
    await sent(tmp_path, [record(1), record(2, None), record(3, Answered.NAMED), *free])
    assert paid(tmp_path) == [("1", "req-1"), ("2", None), ("3", None)]
    assert len(paid(tmp_path, uid=None)) == 3, "there is no database here yet"


async def test_its_own_and_another_apis_are_left_out(tmp_path: Path) -> None:
    """Its own are held against the table; another API's are no reason to hold a row."""
    await sent(tmp_path, [record(1)], uid=OWN)
    await sent(tmp_path, [record(2)], origin="https://elsewhere.example")
    assert paid(tmp_path) == []


async def test_journals_that_have_had_their_time_go(tmp_path: Path) -> None:
    """Nobody else deletes them where their database is gone; those beside it are its own."""
    copy = await sent(tmp_path, [record(1)])
    assert paid(tmp_path, now=AT + timedelta(days=91)) == [("1", "req-1")]
    assert not copy.exists()


async def test_what_cannot_be_read_is_another_databases_concern(tmp_path: Path) -> None:
    """Unless a later version wrote it: that one may know of a payment."""
    copy = await sent(tmp_path, [record(1)])
    (beside(tmp_path / "night.db") / copy.name).unlink()
    held = copy.read_bytes()
    copy.write_bytes(b"nothing")
    assert paid(tmp_path) == []
    copy.write_bytes(held.replace(b"journal 1 ", b"journal 2 "))
    with pytest.raises(CannotWrite, match="newer"):
        paid(tmp_path)


async def test_what_says_the_same_is_told_oldest_first(tmp_path: Path) -> None:
    """Of several runs, and where a hole of the disk is before it; a damaged line says nothing."""
    early, late = (replace(record(n), fingerprint="f" * 64, at=AT + timedelta(hours=n)) for n in (1, 2))
    copy = await sent(tmp_path, [late, record(3)])
    await sent(tmp_path, [early], at=AT + timedelta(hours=1))
    for path in (copy, beside(tmp_path / "night.db") / copy.name):
        data = path.read_bytes()
        path.write_bytes(
            data.replace(b"\n" + record_line(late)[:9], b"\n" + bytes(700) + record_line(late)[:9])
        )
    found = paid_by_journals(tmp_path / "night.db", OWN, API, tmp_path / "state", AT)
    assert [one.request_id for one in found["f" * 64]] == ["req-1", "req-2"]
    assert found.get("a" * 64) is None
    for path in (copy, beside(tmp_path / "night.db") / copy.name):
        path.write_bytes(path.read_bytes().replace(b'"key":"row-2"', b'"key":"row-9"'))
    assert [one.request_id for one in found["f" * 64]] == ["req-1"]


async def test_an_end_that_had_no_room_counts(tmp_path: Path) -> None:
    """It stands in a line of its own, behind its submit."""
    long = replace(record(1), end=SubmitEnd(Answered.ACCEPTED, AT, "r" * 128))
    assert end_room(long.end or SubmitEnd(Answered.REFUSED, AT)) is None
    await sent(tmp_path, [long])
    assert paid(tmp_path) == [("1", "r" * 128)]


async def test_what_cannot_be_read_any_more_is_told(tmp_path: Path) -> None:
    """The row that asks may have been paid for."""
    await sent(tmp_path, [record(1)])
    found = paid_by_journals(tmp_path / "night.db", OWN, API, tmp_path / "state", AT)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(beside(tmp_path / "night.db"))
    with pytest.raises(CannotWrite, match="cannot be read"):
        found.get(f"{1:064x}")


def test_a_large_journal_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes a submit, and none is parsed that nobody asks for."""
    many = 20_000
    path = folder_of(tmp_path / "state", API) / OTHER / new_name(Places(tmp_path, None), AT, Random(1))
    path.parent.mkdir(parents=True)
    header = header_line(Header(OTHER, "/night.db", "here", API, AT))
    path.write_bytes(header + b"".join(record_line(record(n, None)) for n in range(many)) + bytes(4096))
    parsed: list[bytes] = []
    parse = journal_format._record

    def counted(line: bytes) -> SubmitRecord | None:
        parsed.append(line)
        return parse(line)

    monkeypatch.setattr(journal_format, "_record", counted)
    paid_by_journals(tmp_path / "night.db", OWN, API, tmp_path / "state", AT)  # what is made once
    tracemalloc.start()
    try:
        found = paid_by_journals(tmp_path / "night.db", OWN, API, tmp_path / "state", AT)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert bool(found)
    assert parsed == []
    assert peak < 16_384 * 100 + 40 * many, "what is fixed, and 16 bytes each with room to grow"
    assert [one.batch for one in found[f"{many - 1:064x}"]] == ["night"]
    assert len(parsed) == 1


async def test_another_submit_at_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    """Where a file was restored meanwhile, say: a place is no proof."""
    copy = await sent(tmp_path, [record(1)])
    found = paid_by_journals(tmp_path / "night.db", OWN, API, tmp_path / "state", AT)
    assert f"{1:064x}" in found
    for path in (copy, beside(tmp_path / "night.db") / copy.name):
        data = path.read_bytes()
        path.write_bytes(data[:HEADER_BYTES] + record_line(record(2)) + data[HEADER_BYTES:])
    assert f"{1:064x}" not in found
