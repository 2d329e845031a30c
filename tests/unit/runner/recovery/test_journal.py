"""A run's journal on the disk: synced before it is trusted, one sync for those who come together."""

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from unittest import mock

import anyio
import pytest

from jobs.errors import CannotWrite
from jobs.submit_record import Answered, SubmitEnd, SubmitRecord
from runner.recovery.journal import SubmitJournal, open_journal
from runner.recovery.journal_format import Header, JournalReader
from runner.recovery.journal_places import Places
from tests.support.journals import receipts

AT = datetime(2026, 11, 20, 22, tzinfo=UTC)
NAME = "20261120T220000Z-00000001.journal"
HEADER = Header("d" * 32, "/night.db", "here", "https://model-api.runcomfy.net", AT)


def record(number: int) -> SubmitRecord:
    return SubmitRecord(
        f"{number:032x}", "f" * 64, "night", f"row-{number}", "5" * 64, AT, 7, Decimal("0.04")
    )


def accepted(number: int, length: int = 8) -> SubmitEnd:
    return SubmitEnd(Answered.ACCEPTED, AT, f"req-{number}".ljust(length, "\N{GRINNING FACE}"))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "night.db.journal", tmp_path / "state" / "origin" / HEADER.database)


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def journal(places: Places, notices: list[str]) -> Iterator[SubmitJournal]:
    with open_journal(places, NAME, HEADER, notices.append) as opened:
        yield opened


def records_in(folder: Path) -> list[SubmitRecord]:
    with (folder / NAME).open("rb") as file:
        reader = JournalReader(file)
        records = list(reader)
    assert reader.damaged == 0
    return records


async def test_a_submit_and_its_end_are_in_both_places(journal: SubmitJournal, places: Places) -> None:
    """Ends of every length, in any order; what another run sent is not ours to end."""
    for number in range(3):
        await journal.sent(record(number))
    journal.ended(record(2).uid, accepted(2))
    journal.ended(record(0).uid, accepted(0, length=128))
    journal.ended("e" * 32, accepted(9))
    await journal.sent(record(3))
    wanted = [
        replace(record(0), end=accepted(0, length=128)),
        record(1),
        replace(record(2), end=accepted(2)),
        record(3),
    ]
    for folder in places.folders:
        assert records_in(folder) == wanted
        assert (folder / NAME).stat().st_mode & 0o777 == 0o600


async def test_those_who_come_together_share_a_sync(journal: SubmitJournal, places: Places) -> None:
    """One fdatasync for a group, and none for the copy; on disk before anybody goes on."""
    await journal.sent(record(0))
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        synced.append(len(records_in(places.beside)))
        real(descriptor)

    async def send(number: int) -> None:
        await journal.sent(record(number))
        assert synced[-1] >= 2

    with mock.patch("os.fdatasync", fdatasync):
        async with anyio.create_task_group() as tasks:
            for number in range(1, 33):
                tasks.start_soon(send, number)
    assert len(synced) <= 3
    assert synced[-1] == 33


async def test_what_the_table_has_is_not_read_again(journal: SubmitJournal, places: Places) -> None:
    """But for submits that wait for an end, wherever that comes to stand; others are not ours to settle."""
    for number in range(4):
        await journal.sent(record(number))
    for number in (0, 1):
        journal.ended(record(number).uid, accepted(number))
        journal.settle(record(number).uid)
    journal.ended(record(2).uid, accepted(2, length=128))
    journal.settle("e" * 32)
    noted = await journal.settled_to()
    await journal.sent(record(4))
    journal.ended(record(3).uid, accepted(3))
    journal.ended(record(0).uid, accepted(9))  # it was settled: the table has the last word
    assert noted is not None
    assert (noted[0], journal.settled) == (NAME, 2)
    for folder in places.folders:
        with (folder / NAME).open("rb") as file:
            left = list(JournalReader(file, noted[1]))
        assert left == [
            replace(record(2), end=accepted(2, length=128)),
            replace(record(3), end=accepted(3)),
            record(4),
        ]
        assert records_in(folder)[0] == replace(record(0), end=accepted(0))


async def test_a_run_that_sent_nothing_settles_nothing(journal: SubmitJournal) -> None:
    """There is no file."""
    assert await journal.settled_to() is None


async def test_no_file_before_the_first_submit(journal: SubmitJournal, places: Places) -> None:
    """A run that sends nothing leaves nothing."""
    assert not places.beside.exists()
    await journal.sent(record(1))
    assert (places.beside / NAME).exists()


async def test_a_file_that_cannot_be_begun_leaves_nothing(journal: SubmitJournal, places: Places) -> None:
    """The disk is full at the first submit, and has room again at the next."""
    with (
        mock.patch("os.write", side_effect=OSError(errno.ENOSPC, "No space left on device")),
        pytest.raises(CannotWrite),
    ):
        await journal.sent(record(0))
    assert list(places.beside.iterdir()) == []
    await journal.sent(record(1))
    assert records_in(places.beside) == [record(1)]


@pytest.mark.parametrize("step", range(6))
async def test_a_disk_that_refuses_leaves_no_doubt(
    journal: SubmitJournal, places: Places, step: int, notices: list[str]
) -> None:
    """What it does not take is not sent, and leaves no line that anybody would have a doubt about."""
    await journal.sent(record(0))
    calls = 0

    def blows() -> bool:
        nonlocal calls
        calls += 1
        return calls == step + 1

    def write(descriptor: int, data: bytes) -> int:
        if blows():
            real_write(descriptor, bytes(data)[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(descriptor, data)

    def sync(descriptor: int) -> None:
        if blows():
            raise OSError(errno.EIO, "Input/output error")
        real_sync(descriptor)

    real_write, real_sync = os.write, os.fdatasync
    refused = 0
    with mock.patch("os.write", write), mock.patch("os.fdatasync", sync):
        for number in (1, 2):
            try:
                await journal.sent(record(number))
            except CannotWrite:
                refused = number
    assert (refused == 0) is bool(notices), "the main file refuses, or the copy does"
    await journal.sent(record(3))
    left = [number for number in range(4) if number != refused or refused == 0]
    assert records_in(places.beside) == [record(number) for number in left]


async def test_without_a_state_folder_it_is_told(tmp_path: Path, notices: list[str]) -> None:
    """Once, and the run goes on."""
    (tmp_path / "state").write_text("a file")
    places = Places(tmp_path / "night.db.journal", tmp_path / "state" / "origin")
    with open_journal(places, NAME, HEADER, notices.append) as journal:
        for number in range(3):
            await journal.sent(record(number))
            journal.ended(record(number).uid, accepted(number))
        await journal.keep(record(1).uid, accepted(1))
    assert len(notices) == 1
    assert "No copy of the journal is kept in" in notices[0]
    assert len(receipts(tmp_path)) == 3


async def test_an_end_that_the_disk_refuses_is_told(journal: SubmitJournal, notices: list[str]) -> None:
    """The table has it a moment later; `keep` raises it."""
    await journal.sent(record(0))
    with mock.patch("os.write", side_effect=OSError(errno.EIO, "Input/output error")):
        journal.ended(record(0).uid, accepted(0))
        with pytest.raises(OSError, match="Input"):
            await journal.keep(record(0).uid, accepted(0))
    assert "Input/output error" in notices[0]


async def test_no_link_is_followed(tmp_path: Path, journal: SubmitJournal, places: Places) -> None:
    """A link in its place leads nowhere."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    places.beside.mkdir()
    (places.beside / NAME).symlink_to(victim)
    with pytest.raises(CannotWrite):
        await journal.sent(record(0))
    assert victim.read_text() == "mine"
