"""What the journals of other databases tell: each submit that was or may have been accepted, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from jobs.errors import CannotWrite
from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from runner.recovery.elsewhere import paid_by_journals
from runner.recovery.journal import open_journal
from runner.recovery.journal_format import Header
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
    return sorted((submit.fingerprint.lstrip("0"), submit.request_id) for submit in found)


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
